// Tests of the `fetch` of `latchkey/browser` over real HTTP: all that a caller can hand to it, and where the token goes.

import { expect } from 'chai';
import { until } from '../support/waiting.js';
import { accessToken, REFRESH, ScriptedGateway } from './scripted-gateway.js';
import { gate, later, type ScriptedSessions, useScriptedSessions } from './scripted-sessions.js';

describe('latchkey/browser: fetch', () => {
  let sessions: ScriptedSessions;
  let gateway: ScriptedGateway;
  useScriptedSessions((each) => {
    sessions = each;
    ({ gateway } = each);
  });

  const orders = () => `${gateway.origin}/orders`;
  /** An API that accepts the second token alone; the first is old by then. */
  const wantsSecond = (): void => {
    gateway.answer = ({ path, authorization, body }) => {
      if (path !== '/orders') return sessions.nextPair(300);
      return { status: authorization === `Bearer ${accessToken(300, 'a2')}` ? 200 : 401, body };
    };
  };
  const sentTwice = (): readonly string[] =>
    gateway.requests.filter(({ path }) => path === '/orders').map(({ body }) => body);

  it('makes one refresh for 50 requests at the start, and for 50 that are refused', async () => {
    const session = sessions.create();
    gateway.answer = () => sessions.nextPair(0);
    await session.signIn('login');
    gateway.answer = ({ path }) => (path === '/orders' ? { status: 200 } : sessions.nextPair(300));
    const all = () => Promise.all(Array.from({ length: 50 }, () => session.fetch(orders())));
    expect(new Set((await all()).map(({ status }) => status))).to.deep.equal(new Set([200]));
    expect(gateway.count(REFRESH)).to.equal(2);
    gateway.answer = ({ path, authorization }) => {
      if (path !== '/orders') return sessions.nextPair(300);
      return { status: authorization === `Bearer ${accessToken(300, 'a3')}` ? 200 : 401 };
    };
    const responses = await later(60_000, all);
    expect(new Set(responses.map(({ status }) => status))).to.deep.equal(new Set([200]));
    expect(gateway.count(REFRESH)).to.equal(3);
  });

  for (const [title, body] of [
    ['a string', () => 'an order'],
    ['a form', () => new URLSearchParams({ an: 'order' })],
    ['bytes', () => new TextEncoder().encode('an order')],
    ['a blob', () => new Blob(['an order'])],
    ['a multipart form', () => Object.assign(new FormData(), {})],
    ['a stream', () => new Blob(['an order']).stream()],
  ] as const) {
    it(`sends a body again that is ${title}, whole`, async () => {
      const session = sessions.create();
      await session.signIn('login');
      wantsSecond();
      const content = body();
      if (content instanceof FormData) content.set('an', 'order');
      const init = { method: 'POST', body: content, duplex: 'half' } as RequestInit;
      const response = await later(60_000, () => session.fetch(orders(), init));
      expect(response.status).to.equal(200);
      const [first, second] = sentTwice();
      expect(first).to.contain('order');
      expect(second).to.equal(first);
    });
  }

  it('takes a Request, whose body it uses up as fetch does', async () => {
    const session = sessions.create();
    await session.signIn('login');
    wantsSecond();
    const request = new Request(orders(), { method: 'PUT', body: 'an order', headers: { 'x-a': '1' } });
    const response = await later(60_000, () => session.fetch(request, { headers: { 'x-b': '2' } }));
    expect([response.status, request.bodyUsed]).to.deep.equal([200, true]);
    expect(sentTwice()).to.deep.equal(['an order', 'an order']);
  });

  it('puts its token in the place of one of the caller', async () => {
    const session = sessions.create();
    await session.signIn('login');
    gateway.answer = () => ({ status: 200 });
    await session.fetch(orders(), { headers: { Authorization: 'Basic YTpi' } });
    expect(gateway.requests.at(-1)?.authorization).to.equal(`Bearer ${accessToken(300, 'a1')}`);
  });

  it('sends no token on where the API redirects to another origin', async () => {
    const session = sessions.create();
    await session.signIn('login');
    const other = await ScriptedGateway.start();
    other.answer = () => ({ status: 200 });
    try {
      gateway.answer = () => ({ status: 307, headers: { location: `${other.origin}/away` } });
      expect((await session.fetch(orders())).status).to.equal(200);
      expect(other.requests).to.deep.equal([{ path: '/away', authorization: undefined, body: '' }]);
    } finally {
      other.stop();
    }
  });

  it('ends at once when its caller gives up during a refresh, which goes on for the others', async () => {
    const session = sessions.create();
    gateway.answer = () => sessions.nextPair(0);
    await session.signIn('login');
    const held = gate();
    gateway.answer = async ({ path }) => {
      if (path === '/orders') return { status: 200 };
      await held.opened;
      return sessions.nextPair(300);
    };
    const caller = new AbortController();
    const given = session.fetch(orders(), { signal: caller.signal }).catch((reason) => reason);
    const patient = session.fetch(orders());
    await until(() => gateway.count(REFRESH) === 2);
    caller.abort(new Error('the page has changed'));
    expect((await given).message).to.equal('the page has changed');
    const early = await session.fetch(orders(), { signal: AbortSignal.abort() }).catch((reason) => reason);
    expect(early.name).to.equal('AbortError');
    expect(gateway.count('/orders')).to.equal(0);
    held.open();
    expect((await patient).status).to.equal(200);
  });
});
