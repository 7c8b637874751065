// Tests that the bench's client looks at answers: by HTTP/1.1, in several pieces, and in chains.

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { expect } from 'chai';
import type { Outcomes } from '../../bench/load/load.js';
import { LoadProcess } from '../../bench/load/load-process.js';
import type { Work } from '../../bench/load/work.js';
import { cleanly } from '../../bench/machine/cleanup.js';
import { startEcho } from '../../bench/servers/bare.js';
import { Lab } from '../../bench/speed/lab.js';
import { readOptions } from '../../bench/speed/options.js';
import { ValidateTokensRequest, ValidateTokensResponse } from '../../proto/gen/auth/v1/auth_service.js';

const CHAIN: Work = {
  kind: 'chained',
  route: { protocol: 'http', path: '/', headers: {} },
  // Far apart: no session comes to the tokens of the next one in the time of a test, on a machine however fast.
  refreshTokens: ['1000000', '2000000', '3000000', '4000000', '5000000'],
  answers: { kind: 'json' },
};

describe("the bench's client by gRPC", () => {
  it('sends messages that are larger than what is left of the window, all of them', () =>
    cleanly(async (cleanup) => {
      const lab = await Lab.open(readOptions(['--quick'], []));
      cleanup.add(() => lab.close());
      const answer = ValidateTokensResponse.encode({ results: [] }).finish();
      const echo = await startEcho(lab.folder, { validateTokens: answer });
      cleanup.add(() => echo.stop());
      const load = await LoadProcess.start({ host: echo.host, port: echo.port, connections: 1, seed: 1 });
      cleanup.add(() => load.stop());
      const messages = [20_000, 45_000, 60_000].map((size) =>
        ValidateTokensRequest.encode({ accessTokens: ['x'.repeat(size)], includeClaims: false }).finish(),
      );
      const route = { protocol: 'grpc', path: '/auth.v1.AuthService/ValidateTokens', headers: {} } as const;
      const expected = [{ bytes: answer, whole: true }];
      await load.take({ kind: 'fixed', route, messages, expected, order: 'in turn' });
      const { begun, counts } = await load.run({ kind: 'closed', atOnce: 7, warmMs: 0, countedMs: 500 });
      expect(begun).to.be.greaterThan(7);
      expect(counts).to.deep.equal({ answered: begun, refused: 0, failed: 0 });
    }));
});

describe("the bench's client by HTTP/1.1", () => {
  let server: Server;
  /** What is answered to the token of a body. */
  let answer: (token: number) => string;
  const spent = new Set<number>();
  let twice = 0;
  let received = 0;

  before(async () => {
    server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      const token = Number((JSON.parse(body) as { refresh: string }).refresh);
      received++;
      if (spent.has(token)) twice++;
      spent.add(token);
      const text = answer(token);
      response.setHeader('content-length', text.length);
      // In pieces, as a network may deliver it.
      response.write(text.slice(0, 5));
      setImmediate(() => response.end(text.slice(5)));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  after(() => server.close());

  async function load(): Promise<Outcomes> {
    const bound = server.address();
    const port = typeof bound === 'object' ? (bound?.port ?? 0) : 0;
    const process = await LoadProcess.start({ host: '127.0.0.1', port, protocol: 'http', connections: 4, seed: 1 });
    try {
      await process.take(CHAIN);
      return await process.run({ kind: 'closed', atOnce: 4, warmMs: 0, countedMs: 500 });
    } finally {
      await process.stop();
    }
  }

  it('spends each token once, and then the one that it was answered', async () => {
    answer = (token) => JSON.stringify({ access: 'a', refresh: `${token + 1}` });
    const { begun, counts } = await load();
    expect(begun).to.be.greaterThan(5);
    expect(counts.answered).to.equal(begun);
    expect([twice, spent.size]).to.deep.equal([0, begun]);
  });

  for (const [what, text] of [
    ['the same token again', (token: number) => JSON.stringify({ access: 'a', refresh: `${token}` })],
    ['no token', () => '{"access":"a"}'],
    ['what cannot be read', () => '{"access":'],
  ] as const) {
    it(`takes ${what} for a failure, and sends what comes after it`, async () => {
      answer = text;
      received = 0;
      const { begun, counts } = await load();
      // More than its connections take at once.
      expect(begun).to.be.greaterThan(4);
      expect(counts).to.deep.equal({ answered: 0, refused: 0, failed: begun });
      expect(received).to.equal(begun);
    });
  }
});
