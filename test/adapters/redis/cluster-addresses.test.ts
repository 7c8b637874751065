// Tests that the names in REDIS_URL are resolved again when all nodes of the cluster have new addresses.

import { expect } from 'chai';
import { freePortWithBus } from '../../support/free-ports.js';
import { RedisServer } from '../../support/redis-server.js';
import { TcpProxy } from '../../support/tcp-proxy.js';
import { answerWithin, until, untilReported } from '../../support/waiting.js';
import { openStore } from './redis-world.js';
import { RESP, RespServer } from './resp-server.js';

/** The commands by which a store reads an entry. */
const READS: ReadonlySet<string> = new Set(['mget', 'get', 'eval_ro', 'evalsha_ro', 'eval', 'evalsha']);

/** A cluster of one node. */
async function startNode(): Promise<RedisServer> {
  const settings = ['cluster-enabled yes', 'cluster-config-file nodes.conf', 'cluster-announce-ip 127.0.0.1'];
  const server = await RedisServer.startWithFile(settings, freePortWithBus);
  await server.raw.call('CLUSTER', 'ADDSLOTS', ...Array.from({ length: 16_384 }, (_, slot) => slot));
  await untilReported(
    async () => String(await server.raw.call('CLUSTER', 'INFO')).includes('cluster_state:ok'),
    30_000,
  );
  return server;
}

describe('a cluster of which all addresses change', function () {
  this.timeout(120_000);

  it('is found again by its name', async () => {
    const first = await startNode();
    // The port of a proxy plays the host name: it stays the same, and leads to the nodes' present addresses.
    const name = await TcpProxy.start(first.port);
    const { store } = openStore(`redis+cluster://127.0.0.1:${name.port}`, { allowUnsafe: true });
    const answers = () =>
      store.read([{ kind: 'birth', shard: 0 }]).then(
        () => true,
        () => false,
      );
    let second: RedisServer | undefined;
    try {
      await store.opened();
      expect(await answers()).to.equal(true);
      await first.kill();
      await until(async () => !(await answers()), 30_000);
      second = await startNode();
      name.redirect(second.port);
      await until(answers, 30_000);
    } finally {
      await store.close();
      await name.stop();
      await Promise.all([first.stop(), second?.stop()]);
    }
  });
});

describe('a node of a cluster that keeps its id', () => {
  it('is asked at its new address, also after it had none', async () => {
    const [first, second, ...others] = await Promise.all(Array.from({ length: 4 }, () => RespServer.start()));
    const [before, after] = [first as RespServer, second as RespServer];
    /** Where the others find it. */
    let port = before.port;
    const ports = others.map((server) => server.port);
    const all = [before, after, ...others];
    for (const server of all) {
      server.answer = (command, [what = '']) => {
        if (command !== 'cluster' || what.toUpperCase() !== 'NODES') return undefined;
        const lines = [port, ...ports].map((each, n) => {
          const isSelf = n === 0 ? server === before || server === after : each === server.port;
          return `${n} 127.0.0.1:${each}@1 ${isSelf ? 'myself,' : ''}master - 0 0 ${n} connected${n === 0 ? ' 0-16383' : ''}\n`;
        });
        return RESP.text(lines.join(''));
      };
    }
    const { store } = openStore(`redis+cluster://127.0.0.1:${ports[0]}`, { allowUnsafe: true });
    const isAskedAt = async (server: RespServer): Promise<boolean> => {
      const from = server.commands.length;
      await store.read([{ kind: 'birth', shard: 0 }]).catch(() => {});
      return server.commands.slice(from).some((command) => READS.has(command));
    };
    try {
      await store.opened();
      expect(await isAskedAt(before)).to.equal(true);
      port = after.port;
      await until(() => isAskedAt(after));
      port = 0;
      const answered = others.map(({ commands }) => commands.length);
      await until(() => others.every(({ commands }, n) => commands.length > (answered[n] ?? 0) + 2));
      port = before.port;
      await until(() => isAskedAt(before));
    } finally {
      await store.close();
      await Promise.all(all.map((server) => server.stop()));
    }
  });
});

describe('a name in REDIS_URL', function () {
  this.timeout(120_000);

  it('that leads to a node without a cluster does not hide the cluster that the others lead to', async () => {
    const [lone, ...nodes] = await Promise.all(Array.from({ length: 4 }, () => RespServer.start()));
    const portOf = ({ url }: RespServer): string => new URL(url).port;
    const isNodes = (command: string, [what = '']: readonly string[]) =>
      command === 'cluster' && what.toUpperCase() === 'NODES';
    let asked = 0;
    const line = (server: RespServer, n: number, slots: string, flags = '') =>
      `${n} 127.0.0.1:${portOf(server)}@1 ${flags}master - 0 0 ${n} connected${slots}\n`;
    const first = lone as RespServer;
    first.answer = (command, args) => {
      if (!isNodes(command, args)) return undefined;
      asked++;
      return RESP.text(line(first, 9, '', 'myself,'));
    };
    for (const [self, node] of nodes.entries()) {
      node.answer = (command, args) => {
        if (!isNodes(command, args)) return undefined;
        const lines = nodes.map((each, n) => line(each, n, n === 0 ? ' 0-16383' : '', n === self ? 'myself,' : ''));
        // The other one answers first.
        return asked < 2 ? '' : RESP.text(lines.join(''));
      };
    }
    const hosts = [first, ...nodes].map((server) => `127.0.0.1:${portOf(server)}`).join(',');
    const { store } = openStore(`redis+cluster://${hosts}`, { allowUnsafe: true });
    try {
      expect(
        await answerWithin(
          10_000,
          store.opened().then(() => 'found'),
        ),
      ).to.equal('found');
    } finally {
      await store.close();
      await Promise.all([first, ...nodes].map((server) => server.stop()));
    }
  });
});

describe('a node that is listed with an address that cannot be used', () => {
  it('keeps none of the others from being asked', async () => {
    const server = await RespServer.start();
    const { port } = new URL(server.url);
    const lines = [
      `a 127.0.0.1:${port}@1 myself,master - 0 0 1 connected 0-16383`,
      // It has a TLS port alone.
      'b 127.0.0.1:0@1 slave a 0 0 1 connected',
    ];
    server.answer = (command, [what = '']) =>
      command === 'cluster' && what.toUpperCase() === 'NODES' ? RESP.text(`${lines.join('\n')}\n`) : undefined;
    const { store } = openStore(`redis+cluster://127.0.0.1:${port}`, { allowUnsafe: true });
    try {
      const count = (name: string) => server.commands.filter((command) => command === name).length;
      // One of two voters has no majority. It is asked on, by one connection.
      await until(async () => count('cluster') >= 4, 30_000);
      expect(count('client')).to.equal(1);
      lines.splice(1);
      await store.opened();
    } finally {
      await store.close();
      await server.stop();
    }
  });
});
