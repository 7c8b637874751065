// Tests of the limits on connections: of one address and of all, and which connection is closed to make room.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect } from 'chai';
import { trustedProxies } from '../../gateway/limits/client-address.js';
import { ConnectionLimits } from '../../gateway/limits/connection-limits.js';
import { ClosingOrder } from '../../src/platform/closing-order.js';
import { createLogger } from '../../src/platform/log.js';
import { until } from '../support/waiting.js';
import { REFRESH, RunningGateway } from './running-gateway.js';

const BODY = '{"refresh":"r"}';
const HEAD = `POST ${REFRESH} HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: ${BODY.length}\r\n\r\n`;

/** A client at an address of its own on this machine. */
class Client {
  readonly socket: Socket;
  /** When the connection is closed, by whichever end. */
  readonly closed: Promise<unknown>;

  constructor(socket: Socket) {
    this.socket = socket.on('error', () => {});
    this.closed = new Promise((resolve) => socket.once('close', resolve));
  }

  static async open({ address }: RunningGateway, localAddress = '127.0.0.1'): Promise<Client> {
    const socket = connect({ ...address, localAddress });
    await once(socket, 'connect');
    return new Client(socket);
  }

  /** Sends a whole request and reads its answer. @returns the status; undefined: the connection was closed */
  async ask(): Promise<number | undefined> {
    this.socket.write(HEAD + BODY);
    const answered = once(this.socket, 'data').then(([data]) => Number(/^HTTP\/1\.1 (\d+)/.exec(String(data))?.[1]));
    return Promise.race([answered, this.closed.then(() => undefined)]);
  }

  /** Sends a request without the end of its body. The gateway has it once the answer to the `Expect` header is here. */
  async begin(): Promise<void> {
    this.socket.write(HEAD.replace('\r\n\r\n', '\r\nExpect: 100-continue\r\n\r\n'));
    const [data] = await once(this.socket, 'data');
    expect(String(data)).to.match(/^HTTP\/1\.1 100 /);
  }
}

describe('gateway: limits of connections', () => {
  let gateway: RunningGateway;
  let clients: Client[];
  const start = async (connections: number, connectionsPerAddress: number, TRUST_PROXY = ''): Promise<void> => {
    const limits = { connections, connectionsPerAddress };
    gateway = await RunningGateway.start({ variables: { TRUST_PROXY }, limits });
  };
  const open = async (localAddress?: string): Promise<Client> => {
    const client = await Client.open(gateway, localAddress);
    clients.push(client);
    return client;
  };
  const many = async (count: number, localAddress?: string): Promise<Client[]> => {
    const opened: Client[] = [];
    for (let n = 0; n < count; n++) opened.push(await open(localAddress));
    return opened;
  };
  const isOpen = ({ socket }: Client): boolean => !socket.closed;
  const reports = (): Record<string, unknown>[] =>
    gateway.log.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'too many connections');

  beforeEach(() => {
    clients = [];
  });
  afterEach(async () => {
    for (const { socket } of clients) socket.destroy();
    await gateway.stop();
  });

  it('lets no address take all connections, though each has a request under way', async () => {
    await start(20, 5);
    for (const client of await many(5)) await client.begin();
    const refused = await many(5);
    await Promise.all(refused.map(({ closed }) => closed));
    expect(clients.slice(0, 5).every(isOpen)).to.equal(true);
    const other = await open('127.0.0.2');
    expect(await other.ask()).to.equal(200);
    // One line for all of them.
    expect(reports()).to.have.length(1);
    expect(reports()[0]).to.include({
      level: 'warn',
      limit: 'HTTP_MAX_CONNECTIONS_PER_ADDRESS',
      client: '127.0.0.1',
      refused: 1,
      closedIdle: 0,
    });
    // The requests under way are served all the same, and room is there again.
    const [first] = clients as [Client];
    first.socket.write(BODY);
    expect(String((await once(first.socket, 'data'))[0])).to.match(/^HTTP\/1\.1 200 /);
    first.socket.destroy();
    await first.closed;
    const next = await open();
    expect(await next.ask()).to.equal(200);
  });

  it('closes the longest idle connection of an address for a new one, and no other', async () => {
    await start(20, 4);
    const [a, b, c, busy] = (await many(4)) as [Client, Client, Client, Client];
    await busy.begin();
    for (const client of [a, b, c, a]) expect(await client.ask()).to.equal(200);
    const other = await open('127.0.0.2');
    expect(await other.ask()).to.equal(200);
    const next = await open();
    expect(await next.ask()).to.equal(200);
    await b.closed;
    expect([a, c, busy, other, next].every(isOpen)).to.equal(true);
    expect(reports()[0]).to.include({ client: '127.0.0.1', refused: 0, closedIdle: 1 });
    const last = await open();
    expect(await last.ask()).to.equal(200);
    await c.closed;
    expect([a, busy, other, next, last].every(isOpen)).to.equal(true);
  });

  it('closes the oldest of those that have sent no request, before it refuses a new one', async () => {
    await start(20, 3);
    const [silent, slow, idle] = (await many(3)) as [Client, Client, Client];
    slow.socket.write(HEAD.slice(0, 20));
    expect(await idle.ask()).to.equal(200);
    for (const gone of [idle, silent, slow]) {
      const next = await open();
      await next.begin();
      await gone.closed;
    }
    const refused = await open();
    await refused.closed;
  });

  it('has one line in the log at once, and one with all that was closed since', async () => {
    gateway = await RunningGateway.start({ limits: { connections: 20, connectionsPerAddress: 1, reportMs: 1_500 } });
    const [busy] = (await many(1)) as [Client];
    await busy.begin();
    await Promise.all((await many(6)).map(({ closed }) => closed));
    expect(reports().map(({ refused }) => refused)).to.deep.equal([1]);
    await until(() => reports().length === 2, 30_000);
    expect(reports()[1]).to.include({ client: '127.0.0.1', refused: 5, closedIdle: 0 });
  });

  it('serves more idle clients of one address than it keeps connections', async () => {
    await start(20, 5);
    for (let n = 0; n < 40; n++) expect(await (await open()).ask()).to.equal(200);
    await Promise.all(clients.slice(0, -5).map(({ closed }) => closed));
    expect(clients.slice(-5).every(isOpen)).to.equal(true);
  });

  it('holds no address of a trusted proxy to the limit of one client', async () => {
    await start(20, 2, '127.0.0.3');
    const proxied = await many(10, '127.0.0.3');
    for (const client of proxied) await client.begin();
    expect(proxied.every(isOpen)).to.equal(true);
    expect(reports()).to.deep.equal([]);
  });

  it('holds all together to the limit of all, and the longest idle one gives way', async () => {
    await start(6, 3, '127.0.0.3');
    const [idle] = (await many(1, '127.0.0.2')) as [Client];
    expect(await idle.ask()).to.equal(200);
    const proxied = await many(5, '127.0.0.3');
    for (const client of proxied) await client.begin();
    const next = await open();
    await next.begin();
    await idle.closed;
    const refused = await open('127.0.0.4');
    await refused.closed;
    expect(reports()).to.have.length(1);
    expect(reports()[0]).to.include({ limit: 'HTTP_MAX_CONNECTIONS', refused: 0, closedIdle: 1 });
    expect(reports()[0]).not.to.have.property('client');
  });
});

describe('gateway: the count of connections', () => {
  const socketAt = (remoteAddress: string | undefined) => ({
    remoteAddress,
    destroyed: false,
    destroy() {
      this.destroyed = true;
    },
  });
  const limitsOf = (connections: number, connectionsPerAddress: number): ConnectionLimits =>
    new ConnectionLimits(
      { connections, connectionsPerAddress, reportMs: 10_000 },
      trustedProxies(['10.0.0.0/8']),
      createLogger({ level: 'silent', name: 'gateway' }),
    );

  it('takes an IPv6 /64 for one address, and IPv4 in IPv6 for IPv4', () => {
    const limits = limitsOf(100, 1);
    for (const [first, same, other] of [
      ['2001:db8::1', '2001:db8::ffff:1:2:3', '2001:db8:0:1::1'],
      ['203.0.113.7', '::ffff:203.0.113.7', '203.0.113.8'],
    ] as const) {
      const open = socketAt(first);
      expect(limits.open(open)).to.equal(true);
      limits.requested(open);
      expect(limits.open(socketAt(same)), same).to.equal(false);
      expect(limits.open(socketAt(other)), other).to.equal(true);
    }
    // Proxies, also in IPv6, and connections that are gone before they can be looked at.
    for (const proxy of ['10.0.0.1', '::ffff:10.0.0.1', '10.0.0.1']) {
      expect(limits.open(socketAt(proxy))).to.equal(true);
    }
    expect(limits.open(socketAt(undefined))).to.equal(true);
  });

  it('never has more than the limit, and forgets what is closed', () => {
    const limits = limitsOf(50, 3);
    const open = new Set<ReturnType<typeof socketAt>>();
    for (let n = 0; n < 5_000; n++) {
      const socket = socketAt(`192.0.2.${n % 100}`);
      if (limits.open(socket)) open.add(socket);
      for (const each of open) if (each.destroyed) open.delete(each);
      if (n % 3 === 0) limits.requested(socket);
      if (n % 6 === 0) limits.answered(socket);
      if (n % 7 === 0) {
        limits.close(socket);
        open.delete(socket);
      }
      expect(open.size).to.be.at.most(50);
    }
    for (const socket of open) limits.close(socket);
    const after = Array.from({ length: 50 }, (_, n) => socketAt(`198.51.100.${n}`));
    expect(after.every((socket) => limits.open(socket))).to.equal(true);
    expect(after.some(({ destroyed }) => destroyed)).to.equal(false);
  });

  it('orders connections by what closing one costs its client', () => {
    const pool = new ClosingOrder<string>();
    for (const name of ['a', 'b', 'c']) pool.open(name);
    expect([pool.size, pool.spare]).to.deep.equal([3, 'a']);
    for (const name of ['c', 'b', 'a']) pool.requested(name);
    expect([pool.size, pool.spare]).to.deep.equal([3, undefined]);
    for (const name of ['b', 'c', 'b']) pool.answered(name);
    pool.open('d');
    expect([pool.size, pool.spare]).to.deep.equal([4, 'b']);
    pool.requested('b');
    expect(pool.spare).to.equal('c');
    pool.close('c');
    expect([pool.size, pool.spare]).to.deep.equal([3, 'd']);
    for (const name of ['unknown', 'c']) {
      pool.requested(name);
      pool.answered(name);
      pool.close(name);
    }
    expect(pool.size).to.equal(3);
  });
});
