// The attacks on HTTP over the raw wire: each has its answer and its end, and nothing is left of any of them.

import { expect } from 'chai';
import { LOGOUT, REFRESH, RunningGateway } from '../gateway/running-gateway.js';
import { PAIR } from '../support/scripted-auth-service.js';
import { answerWithin, elapse, until } from '../support/waiting.js';
import { ROWS } from './http-cases.js';
import { RawClient } from './raw-http.js';
import { ServerSockets } from './server-sockets.js';

/** Short, so that what takes its time need not; 15 of them for a busy machine are still a bound. */
const LIMITS = {
  headersMs: 300,
  requestMs: 500,
  keepAliveMs: 300,
  stalledMs: 700,
  checkEveryMs: 50,
  connections: 1_500,
};
const BOUND_MS = 5_000;

const PROBE = 'GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n';
const NEXT = `POST ${REFRESH} HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"refresh":"r"}`;
const post = (path: string, ...headers: readonly string[]): string =>
  `${[`POST ${path} HTTP/1.1`, 'Host: h', 'Content-Length: 0', ...headers].join('\r\n')}\r\n\r\n`;

describe('an attacker of the gateway', function () {
  this.timeout(120_000);
  let gateway: RunningGateway;
  let sockets: ServerSockets;

  before(async () => {
    sockets = new ServerSockets(() => gateway.address.port);
    gateway = await RunningGateway.start({ limits: LIMITS, oauth: true });
  });
  // After every single one of them: nothing is left open, the log has no error, and the gateway serves on.
  afterEach(async () => {
    await sockets.fallTo(0, BOUND_MS);
    expect(sockets.size, 'connections').to.equal(0);
    expect(gateway.log.filter((line) => /"level":"(error|fatal)"/.test(line))).to.deep.equal([]);
    const probe = await connect();
    probe.send(PROBE);
    await probe.awaitAnswers(1);
    expect(statusesOf(probe)).to.deep.equal([200]);
    probe.socket.destroy();
    await sockets.fallTo(0, BOUND_MS);
    gateway.service.reset();
  });
  after(async () => {
    sockets.stop();
    await gateway.stop();
  });

  const connect = (): Promise<RawClient> => RawClient.open(gateway.address);
  const statusesOf = (client: RawClient): number[] => client.answers.map(({ status }) => status);
  const within = async (what: Promise<unknown>, title: string): Promise<void> => {
    const inTime = what.then(() => true);
    expect(await answerWithin(BOUND_MS, inTime), `${title} in time`).to.equal(true);
  };

  for (const [what, rows] of Object.entries(ROWS)) {
    describe(`who bends ${what}`, () => {
      for (const { title, bytes, statuses, then } of rows) {
        it(`${title}: ${statuses.join(', ') || 'no answer'}, and the connection ${then}`, async () => {
          const client = await connect();
          client.send(bytes);
          let wanted = then === 'ends' ? statuses : [...statuses, 200];
          if (then !== 'ends') {
            await within(client.awaitAnswers(statuses.length), 'answers');
            client.send(NEXT);
            await within(client.awaitAnswers(wanted.length), 'the next answer');
            if (then === 'serves or ends' && client.socket.closed) wanted = statuses;
          } else {
            await within(client.closed, 'the end');
          }
          expect(statusesOf(client)).to.deep.equal(wanted);
          for (const { status, headers } of client.answers.filter((answer) => answer.status !== 100)) {
            expect(headers.get('cache-control'), `${status}`).to.equal('no-store');
          }
          client.socket.destroy();
        });
      }
    });
  }

  describe('who sends many requests on one connection', () => {
    it('gets the answers in their order, however long each takes', async () => {
      gateway.service.script = ({ method }) => elapse(method === 'logout' ? 200 : 0, 'a slow call');
      const client = await connect();
      const bearer = 'Authorization: Bearer a';
      client.send(post(LOGOUT, bearer) + post('/no') + post(LOGOUT, bearer) + NEXT);
      await within(client.awaitAnswers(4), 'answers');
      expect(client.answers.map(({ status, body }) => [status, body])).to.deep.equal([
        [200, '{}'],
        [404, '{"detail":"Not found."}'],
        [200, '{}'],
        [200, JSON.stringify(PAIR)],
      ]);
      client.socket.destroy();
    });

    it('has no more than a few of them under way, and is cut off', async () => {
      gateway.service.script = () => elapse(200, 'a slow call');
      const flood = await connect();
      flood.send(post(LOGOUT, 'Authorization: Bearer a').repeat(5_000));
      await within(flood.closed, 'the end');
      expect(gateway.service.calls.length).to.equal(16);

      // These requests fit into one read. With more, the connection's reset would discard answers that are not read yet.
      const client = await connect();
      client.send(post(LOGOUT, 'Authorization: Bearer a').repeat(200));
      await within(client.closed, 'the end');
      expect(gateway.service.calls.length).to.equal(32);
      expect(statusesOf(client)).to.deep.equal([...Array<number>(16).fill(200), 429]);
      expect(client.answers.at(-1)?.body).to.equal(
        '{"detail":"Request was throttled. Expected available in 1 second."}',
      );
    });

    it('costs no log line for any behind the one that ends the connection', async () => {
      const count = (): number => gateway.log.filter((line) => line.includes('"msg":"request"')).length;
      const before = count();
      const flood = await connect();
      flood.send('GET /no HTTP/1.1\r\nHost: h\r\n\r\n'.repeat(5_000));
      await within(flood.closed, 'the end');
      expect(count() - before).to.be.within(1, 100);
    });

    it('may send as many as it likes, one after the other', async () => {
      const client = await connect();
      for (let n = 1; n <= 100; n++) {
        client.send(NEXT);
        await within(client.awaitAnswers(n), 'the answer');
      }
      expect(new Set(statusesOf(client))).to.deep.equal(new Set([200]));
      client.socket.destroy();
    });
  });

  describe('who takes the time of a connection', () => {
    it('sends chunk after chunk, without an end', async () => {
      const client = await connect();
      client.send(post(REFRESH).replace('Content-Length: 0', 'Transfer-Encoding: chunked'));
      const drip = setInterval(() => client.send('1\r\n \r\n'), 20);
      await within(client.closed, 'the end');
      clearInterval(drip);
      expect(statusesOf(client)).to.deep.equal([408]);
    });

    it('sends header after header, without an end', async () => {
      const client = await connect();
      client.send('GET /healthz HTTP/1.1\r\n');
      const drip = setInterval(() => client.send('a:b\r\n'), 20);
      await within(client.closed, 'the end');
      clearInterval(drip);
      expect(statusesOf(client)).to.deep.equal([408]);
    });

    it('sends empty lines, without an end', async () => {
      const client = await connect();
      const drip = setInterval(() => client.send('\r\n'), 20);
      await within(client.closed, 'the end');
      clearInterval(drip);
      expect(statusesOf(client)).to.deep.equal([408]);
    });

    it('never reads its answers', async () => {
      const client = await connect();
      client.socket.pause();
      // Each answer is as long as its question. A few at a time, until none of them is done: every buffer is full.
      const long = post(REFRESH, `Content-Type: text/${'x'.repeat(14_000)}`).replace('Length: 0', 'Length: 1');
      const before = gateway.log.length;
      let sent = 0;
      for (let done = 0, sinceMs = performance.now(); performance.now() - sinceMs < 200; ) {
        for (; sent - done < 8; sent++) client.send(`${long}x`);
        await elapse(1, 'paces requests');
        const now = gateway.log.length - before;
        if (now > done) sinceMs = performance.now();
        done = now;
      }
      expect(sent).to.be.above(50);
      await sockets.fallTo(0, BOUND_MS);
      expect(sockets.size).to.equal(0);
      client.socket.destroy();
    });

    it('opens thousands of connections, and sends nothing', async () => {
      const clients: RawClient[] = [];
      // In groups: of more at once than its queue holds the system itself loses some.
      while (clients.length < 2_000) clients.push(...(await Promise.all(Array.from({ length: 200 }, connect))));
      await within(Promise.all(clients.map(({ closed }) => closed)), 'their end');
      expect(sockets.most).to.be.within(100, 1_500);
    });
  });

  describe('who closes half of a connection', () => {
    for (const [title, bytes, statuses] of [
      ['after a request: it is answered', PROBE, [200]],
      ['while a call is under way: it counts as gone', post(LOGOUT, 'Authorization: Bearer a'), []],
      ['in the middle of the headers', 'GET /healthz HT', [400]],
      ['in the middle of a body', post(REFRESH).replace('Length: 0', 'Length: 9'), [400]],
      [
        'in the middle of a chunk',
        `${post(REFRESH).replace('Content-Length: 0', 'Transfer-Encoding: chunked')}9\r\n{`,
        [400],
      ],
      ['before anything', '', []],
    ] as const) {
      it(title, async () => {
        const client = await connect();
        client.socket.end(bytes, 'latin1');
        await within(client.closed, 'the end');
        expect(statusesOf(client)).to.deep.equal(statuses);
      });
    }

    it('and all of it, while a call is under way', async () => {
      gateway.service.script = () => elapse(100, 'a slow call');
      const client = await connect();
      client.send(post(LOGOUT, 'Authorization: Bearer a'));
      await until(() => gateway.service.calls.length > 0);
      client.socket.resetAndDestroy();
    });
  });
});
