// Tests of the session of `latchkey/browser` over real HTTP: what it sends, when it waits, and what ends it.

import { expect } from 'chai';
import { elapse, holdsFor, until } from '../support/waiting.js';
import { accessToken, LOGOUT, REFRESH, ScriptedGateway } from './scripted-gateway.js';
import {
  failure,
  gate,
  later,
  MapStorage,
  REFUSED,
  type ScriptedSessions,
  UNAVAILABLE,
  useScriptedSessions,
} from './scripted-sessions.js';

describe('latchkey/browser: a session', () => {
  let sessions: ScriptedSessions;
  let gateway: ScriptedGateway;
  let events: readonly string[];
  useScriptedSessions((each) => {
    sessions = each;
    ({ gateway, events } = each);
  });
  const create: ScriptedSessions['create'] = (options) => sessions.create(options);
  const nextPair: ScriptedSessions['nextPair'] = (lifeSeconds) => sessions.nextPair(lifeSeconds);
  const bodies = (): string[] => sessions.bodies();

  it('begins by trading the token of a login, and asks for nothing until a token is due', async () => {
    const session = create();
    await session.signIn('login');
    for (let call = 0; call < 3; call++) expect(await session.accessToken()).to.equal(accessToken(300, 'a1'));
    expect(bodies()).to.deep.equal(['refresh=login']);
    expect(events).to.deep.equal(['signedIn']);
  });

  it('makes one refresh for all who wait, and sends what the last one gave', async () => {
    const session = create();
    gateway.answer = () => nextPair(0);
    await session.signIn('login');
    const tokens = await Promise.all([1, 2, 3].map(() => session.accessToken()));
    expect(new Set(tokens).size).to.equal(1);
    await session.accessToken();
    expect(bodies()).to.deep.equal(['refresh=login', 'refresh=r1', 'refresh=r2']);
    expect(events).to.deep.equal(['signedIn', 'refreshed', 'refreshed']);
  });

  it('refreshes in the background between 72 and 88 % of the life, and waits for nothing', async () => {
    const session = create();
    await session.signIn('login');
    await later(0.65 * 300_000, () => session.accessToken());
    await holdsFor(50, () => {
      expect(gateway.count(REFRESH)).to.equal(1);
    });
    let release = () => {};
    gateway.answer = async () => {
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      return nextPair(300);
    };
    expect(await later(0.9 * 300_000, () => session.accessToken())).to.equal(accessToken(300, 'a1'));
    await until(() => gateway.count(REFRESH) === 2);
    release();
    await until(() => events.includes('refreshed'));
    expect(await session.accessToken()).to.equal(accessToken(300, 'a2'));
  });

  it('keeps the session while the gateway cannot answer, and asks again', async () => {
    const session = create();
    gateway.answer = () => (gateway.requests.length < 3 ? UNAVAILABLE : nextPair(300));
    await session.signIn('login');
    expect(events).to.deep.equal(['unavailable unavailable', 'unavailable unavailable', 'signedIn']);
    expect(bodies()).to.deep.equal(Array(3).fill('refresh=login'));
  });

  it('does not ask before the time that the gateway names, and uses a good token meanwhile', async () => {
    const session = create();
    gateway.answer = () => nextPair(0);
    await session.signIn('login');
    gateway.answer = () => ({ ...UNAVAILABLE, headers: { 'retry-after': '60' } });
    for (let call = 0; call < 3; call++) expect((await failure(session.accessToken())).code).to.equal('unavailable');
    expect(gateway.count(REFRESH)).to.equal(2);
    expect(events).to.deep.equal(['signedIn', 'unavailable unavailable']);
  });

  it('asks again after 12 seconds at most, whatever time is named', async () => {
    const session = create();
    gateway.answer = () => nextPair(0);
    await session.signIn('login');
    gateway.answer = () => ({ ...UNAVAILABLE, headers: { 'retry-after': '86400' } });
    await failure(session.accessToken());
    await later(11_500, () => failure(session.accessToken()));
    expect(gateway.count(REFRESH)).to.equal(2);
    gateway.answer = () => nextPair(300);
    expect(await later(12_000, () => session.accessToken())).to.be.a('string');
  });

  it('ends by a 401 of the gateway, and asks nothing after it', async () => {
    const session = create();
    gateway.answer = () => nextPair(0);
    await session.signIn('login');
    gateway.answer = () => REFUSED;
    expect([await session.accessToken(), await session.accessToken()]).to.deep.equal([undefined, undefined]);
    expect((await failure(session.fetch(`${gateway.origin}/orders`))).code).to.equal('signed_out');
    expect(gateway.requests).to.have.length(2);
    expect(events).to.deep.equal(['signedIn', 'signedOut']);
    expect((await failure(create().signIn('bad'))).code).to.equal('signed_out');
  });

  for (const [title, answer] of [
    ['a 401 of something else', { status: 401, body: '<html>Sign in to the network</html>' }],
    ['a 401 with another code', { status: 401, body: { code: 401, message: 'Unauthorized' } }],
    ['a page with the status 200', { status: 200, body: '<html>Sign in to the network</html>' }],
    ['a redirect', { status: 302, headers: { location: '/portal' } }],
    ['a status of a proxy', { status: 502, body: 'Bad Gateway' }],
    ['a limit of its rate', { status: 429, body: { detail: 'Request was throttled.' } }],
    ['a request that took too long', { status: 408 }],
  ] as const) {
    it(`is not ended by ${title}`, async () => {
      const session = create();
      await session.signIn('login');
      gateway.answer = () => ({
        ...answer,
        headers: { 'retry-after': '9', ...('headers' in answer ? answer.headers : {}) },
      });
      expect((await failure(session.logout())).code).to.equal('unavailable');
      gateway.answer = () => nextPair(300);
      expect(await session.accessToken()).to.equal(accessToken(300, 'a1'));
      expect(events).to.not.include('signedOut');
    });
  }

  it('says at once that a setting is wrong, in the words of the gateway', async () => {
    const session = create();
    for (const status of [400, 403, 404]) {
      gateway.answer = () => ({ status, body: { detail: 'Cookie mode is off.' } });
      const error = await failure(session.signIn('login'));
      expect([error.code, error.message]).to.deep.equal(['refused', `${status} Cookie mode is off.`]);
    }
    expect(gateway.requests).to.have.length(3);
    expect(events).to.deep.equal(Array(3).fill('unavailable refused'));
  });

  it('is unknown to a page without a refresh token, and sends nothing', async () => {
    const session = create();
    expect(await session.accessToken()).to.equal(undefined);
    expect([gateway.requests, events]).to.deep.equal([[], ['signedOut']]);
  });

  it('waits for a refresh that is under way before the next login is traded', async () => {
    const session = create();
    gateway.answer = () => nextPair(0);
    await session.signIn('first');
    const before = session.accessToken();
    const second = session.signIn('second');
    const during = session.accessToken();
    await Promise.all([before, second]);
    expect(bodies()).to.deep.equal(['refresh=first', 'refresh=r1', 'refresh=second']);
    expect(await during).to.equal(await before);
    expect(events).to.deep.equal(['signedIn', 'signedIn']);
  });

  describe('with a storage that tabs share', () => {
    it('goes on after a reload, and in another tab', async () => {
      const mode = new MapStorage();
      await create({ mode }).signIn('login');
      expect(await create({ mode }).accessToken()).to.equal(accessToken(300, 'a2'));
      expect(mode.getItem(`latchkey:${gateway.origin}`)).to.equal('r2');
    });

    it('does not put the answer that comes late in the place of a later one', async () => {
      const mode = new MapStorage();
      await create({ mode }).signIn('login');
      const { opened: held, open: release } = gate();
      gateway.answer = async () => {
        const answer = nextPair(300);
        if (sessions.traded === 2) await held;
        return answer;
      };
      const slow = create({ mode }).accessToken();
      await until(() => gateway.requests.length === 2);
      await create({ mode }).accessToken();
      release();
      await slow;
      expect(mode.getItem(`latchkey:${gateway.origin}`)).to.equal('r3');
    });

    it('uses the token of another tab if its own is refused, and ends if that is refused, too', async () => {
      const mode = new MapStorage();
      await create({ mode }).signIn('login');
      gateway.answer = ({ body }) => {
        if (body.includes('newer')) return nextPair(300);
        mode.setItem(`latchkey:${gateway.origin}`, 'newer');
        return REFUSED;
      };
      expect(await create({ mode }).accessToken()).to.equal(accessToken(300, 'a2'));
      gateway.answer = () => REFUSED;
      expect(await create({ mode }).accessToken()).to.equal(undefined);
      expect(mode.getItem(`latchkey:${gateway.origin}`)).to.equal(null);
    });

    it('waits for one that is asynchronous', async () => {
      const items = new MapStorage();
      const mode = {
        getItem: async (key: string) => items.getItem(key),
        setItem: async (key: string, value: string) => items.setItem(key, value),
        removeItem: async (key: string) => items.removeItem(key),
      };
      await create({ mode }).signIn('login');
      expect(await create({ mode }).accessToken()).to.equal(accessToken(300, 'a2'));
    });
  });

  it('takes no token of the session before while a storage keeps that of a login', async () => {
    const items = new MapStorage();
    items.setItem(`latchkey:${gateway.origin}`, 'before');
    const setItem = (key: string, value: string) => elapse(5, 'a slow storage').then(() => items.setItem(key, value));
    const session = create({ mode: { getItem: items.getItem, setItem, removeItem: items.removeItem } });
    const signedIn = session.signIn('login');
    await Promise.all([signedIn, session.accessToken()]);
    expect(bodies()).to.deep.equal(['refresh=login']);
  });

  describe('logout', () => {
    it('ends the session, or all of the user, and is not repeated after it', async () => {
      for (const [options, body] of [
        [undefined, 'refresh=r1&all_sessions=false'],
        [{ all: true }, 'refresh=r3&all_sessions=true'],
      ] as const) {
        const session = create();
        await session.signIn('login');
        gateway.answer = ({ path }) => (path === LOGOUT ? { status: 200, body: {} } : nextPair(300));
        await session.logout(options);
        expect(gateway.requests.at(-1)).to.include({ path: LOGOUT, body });
        expect(await session.accessToken()).to.equal(undefined);
        const again = session.logout(options);
        // Without a session there is nothing that ends the others.
        if (options) expect((await failure(again)).code).to.equal('signed_out');
        else await again;
        gateway.answer = () => nextPair(300);
      }
      expect(gateway.count(LOGOUT)).to.equal(2);
      expect(events).to.deep.equal(['signedIn', 'signedOut', 'signedIn', 'refreshed', 'signedOut']);
    });

    it('counts a session that has ended already as ended', async () => {
      const session = create();
      await session.signIn('login');
      gateway.answer = () => REFUSED;
      await session.logout();
      expect(events).to.deep.equal(['signedIn', 'signedOut']);
    });

    it('says that other sessions go on, where the token that was to end them is refused', async () => {
      const session = create();
      await session.signIn('login');
      gateway.answer = () => REFUSED;
      expect((await failure(session.logout({ all: true }))).code).to.equal('signed_out');
      expect(events).to.deep.equal(['signedIn', 'signedOut']);
    });

    it('drops the answer to a refresh that comes after it', async () => {
      const session = create();
      gateway.answer = () => nextPair(0);
      await session.signIn('login');
      let release = () => {};
      gateway.answer = async ({ path }) => {
        if (path === LOGOUT) return { status: 200, body: {} };
        await new Promise<void>((resolve) => {
          release = resolve;
        });
        return nextPair(300);
      };
      const late = session.accessToken();
      await until(() => gateway.count(REFRESH) === 2);
      await session.logout();
      release();
      expect([await late, await session.accessToken()]).to.deep.equal([undefined, undefined]);
    });
  });

  describe('fetch', () => {
    const orders = () => `${gateway.origin}/orders`;
    const api = (answer: (authorization: string | undefined, body: string) => number, lifeSeconds = 300) => {
      gateway.answer = ({ path, authorization, body }) =>
        path === '/orders' ? { status: answer(authorization, body), body: { body } } : nextPair(lifeSeconds);
    };

    it('sends the token, and after a 401 a new one, with the whole request', async () => {
      const session = create();
      await session.signIn('login');
      // As if the token had been used for a while.
      await later(60_000, async () => {
        api((authorization) => (authorization === `Bearer ${accessToken(300, 'a2')}` ? 200 : 401));
        const response = await session.fetch(orders(), { method: 'POST', body: 'an order', headers: { 'x-a': '1' } });
        expect([response.status, await response.json()]).to.deep.equal([200, { body: 'an order' }]);
        expect(gateway.count('/orders')).to.equal(2);
      });
    });

    it('does not ask for another token when a new one is refused: the next one would be, too', async () => {
      const session = create();
      await session.signIn('login');
      api(() => 401);
      for (let call = 0; call < 3; call++) expect((await session.fetch(orders())).status).to.equal(401);
      expect([gateway.count(REFRESH), gateway.count('/orders')]).to.deep.equal([1, 3]);
    });

    it('returns the 401 of the service if there is no other token', async () => {
      for (const refusal of [REFUSED, { ...UNAVAILABLE, headers: { 'retry-after': '9' } }]) {
        const session = create();
        gateway.answer = () => nextPair(300);
        await session.signIn('login');
        gateway.answer = ({ path }) => (path === '/orders' ? { status: 401 } : refusal);
        await later(60_000, async () => expect((await session.fetch(orders())).status).to.equal(401));
      }
    });

    it('gives the token to no other origin', async () => {
      const session = create();
      await session.signIn('login');
      for (const url of ['http://localhost:1/', 'https://evil.test/', 'http://127.0.0.1.evil.test/', 'data:,a']) {
        const error = await session.fetch(url).catch((reason) => reason);
        expect(error, url).to.be.instanceOf(TypeError);
        expect(error.message).to.contain('is not in origins');
      }
      const other = await ScriptedGateway.start();
      other.answer = () => ({ status: 200 });
      const wider = create({ origins: [other.origin] });
      await wider.signIn('login');
      expect((await wider.fetch(`${other.origin}/x`)).status).to.equal(200);
      expect(other.requests[0]?.authorization).to.match(/^Bearer e30\./);
      other.stop();
    });

    it('ends when its caller gives up', async () => {
      const session = create();
      await session.signIn('login');
      const error = await session.fetch(orders(), { signal: AbortSignal.abort() }).catch((reason) => reason);
      expect(error.name).to.equal('AbortError');
    });
  });

  it('stays closed when a refresh that was under way ends', async () => {
    let joined = 0;
    Object.assign(globalThis, { addEventListener: () => joined++ });
    const session = create();
    const signedIn = session.signIn('login');
    session.close();
    await signedIn;
    Reflect.deleteProperty(globalThis, 'addEventListener');
    expect(joined).to.equal(3);
  });

  it('finds the session of another tab when its page comes back, after it had none', async () => {
    const listeners = new Map<string, (event: object) => void>();
    Object.assign(globalThis, { addEventListener: listeners.set.bind(listeners) });
    const mode = new MapStorage();
    const session = create({ mode });
    Reflect.deleteProperty(globalThis, 'addEventListener');
    expect(await session.accessToken()).to.equal(undefined);
    listeners.get('pagehide')?.({});
    mode.setItem(`latchkey:${gateway.origin}`, 'of another tab');
    listeners.get('pageshow')?.({ persisted: true });
    expect(await session.accessToken()).to.equal(accessToken(300, 'a1'));
    session.close();
  });

  it('opens no channel where pages are rendered, for it would keep Node running', async () => {
    const { BroadcastChannel } = globalThis;
    let opened = 0;
    Object.assign(globalThis, {
      BroadcastChannel: class {
        constructor() {
          opened++;
        }
      },
    });
    const session = create({ mode: 'cookie' });
    await session.accessToken();
    session.close();
    Object.assign(globalThis, { BroadcastChannel });
    expect(opened).to.equal(0);
  });
});
