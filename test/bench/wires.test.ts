// Owns the proof that the bench's client looks at answers: by HTTP/1.1, in several pieces, and in chains.

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { expect } from 'chai';
import type { Outcomes } from '../../bench/load/load.js';
import { LoadProcess } from '../../bench/load/load-process.js';
import type { Work } from '../../bench/load/work.js';

const CHAIN: Work = {
  kind: 'chained',
  route: { protocol: 'http', path: '/', headers: {} },
  refreshTokens: ['1000', '2000', '3000', '4000', '5000', '6000', '7000', '8000'],
  answers: { kind: 'json' },
};

describe("the bench's client", () => {
  let server: Server;
  /** What is answered to the token of a body. */
  let answer: (token: number) => string;
  const spent = new Set<number>();
  let twice = 0;

  before(async () => {
    server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      const token = Number((JSON.parse(body) as { refresh: string }).refresh);
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
      return await process.run({ kind: 'closed', atOnce: 4, warmMs: 0, countedMs: 100 });
    } finally {
      await process.stop();
    }
  }

  it('spends each token once, and then the one that it was answered', async () => {
    answer = (token) => JSON.stringify({ access: 'a', refresh: `${token + 1}` });
    const { ended, counts } = await load();
    expect(ended).to.be.greaterThan(8);
    expect(counts.answered).to.equal(ended);
    expect([twice, spent.size]).to.deep.equal([0, ended]);
  });

  for (const [what, text] of [
    ['the same token again', (token: number) => JSON.stringify({ access: 'a', refresh: `${token}` })],
    ['no token', () => '{"access":"a"}'],
    ['what cannot be read', () => '{"access":'],
  ] as const) {
    it(`takes ${what} for a failure`, async () => {
      answer = text;
      const { ended, counts } = await load();
      expect(ended).to.be.greaterThan(0);
      expect(counts).to.deep.equal({ answered: 0, refused: 0, failed: ended });
    });
  }
});
