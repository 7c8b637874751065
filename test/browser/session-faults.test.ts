// Tests of the session of `latchkey/browser` where something is wrong.
// Messages that come late, answers that no gateway gives, clocks that are set, slow storages, browsers without a channel
// between tabs.

import { expect } from 'chai';
import { until } from '../support/waiting.js';
import { accessToken, LOGOUT, REFRESH, type ScriptedGateway } from './scripted-gateway.js';
import {
  failure,
  gate,
  later,
  MapStorage,
  type ScriptedSessions,
  UNAVAILABLE,
  useScriptedSessions,
  withClocks,
} from './scripted-sessions.js';

describe('latchkey/browser: a session when something is wrong', () => {
  let sessions: ScriptedSessions;
  let gateway: ScriptedGateway;
  useScriptedSessions((each) => {
    sessions = each;
    ({ gateway } = each);
  });

  /** A token without the claim `iat`, which expires `lifeSeconds` seconds from now. */
  const withoutIat = (lifeSeconds: number): string => {
    const payload = { exp: Math.floor(Date.now() / 1000) + lifeSeconds };
    return `e30.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.a`;
  };

  describe('messages of other tabs', () => {
    let other: InstanceType<typeof BroadcastChannel>;
    beforeEach(() => {
      other = new BroadcastChannel(`latchkey:${gateway.origin}`);
    });
    afterEach(() => other.close());
    /** Sends messages as another tab does, and waits until a session has emitted `expected` events. */
    const send = async (expected: number, ...messages: readonly unknown[]): Promise<void> => {
      for (const message of messages) other.postMessage(message);
      await until(() => sessions.events.length >= expected);
      // The time of a message that comes later must be later, too.
      await laterThan(Date.now());
    };
    const laterThan = (unixMs: number): Promise<number> => until(() => Date.now() > unixMs);
    const last = accessToken(300, 'of the last message');

    it('brings a new token, which is used as its own', async () => {
      const session = sessions.tab();
      await session.signIn('login');
      await laterThan(Date.now());
      await send(2, ['refreshed', last, Date.now()]);
      expect(await session.accessToken()).to.equal(last);
      expect(sessions.events).to.deep.equal(['signedIn', 'refreshed']);
    });

    it('brings no token that was asked for before a login here', async () => {
      const session = sessions.tab();
      await session.signIn('alice');
      const askedMs = Date.now();
      await laterThan(askedMs);
      await session.signIn('bob');
      await laterThan(Date.now());
      await send(3, ['refreshed', accessToken(300, 'of alice'), askedMs], ['refreshed', last, Date.now()]);
      expect(await session.accessToken()).to.equal(last);
      expect(sessions.events).to.deep.equal(['signedIn', 'signedIn', 'refreshed']);
    });

    it('brings no token that was asked for before the answer to a login, here or in another tab', async () => {
      const session = sessions.tab();
      // Another tab has asked for it while this one waited for the answer.
      let askedMs = 0;
      gateway.answer = () => {
        askedMs = Date.now();
        return laterThan(askedMs + 1).then(() => sessions.nextPair(300));
      };
      await session.signIn('alice');
      await laterThan(Date.now());
      await send(2, ['refreshed', accessToken(300, 'of no session'), askedMs + 1], ['refreshed', last, Date.now()]);
      expect(sessions.events).to.deep.equal(['signedIn', 'refreshed']);
      const bob = accessToken(300, 'of bob');
      await send(3, ['signedIn', bob, Date.now() - 20], ['refreshed', accessToken(300, 'of alice'), Date.now() - 10]);
      await send(4, ['refreshed', last, Date.now()]);
      expect(sessions.events).to.deep.equal(['signedIn', 'refreshed', 'signedIn', 'refreshed']);
    });

    it('brings no token that was asked for before a logout, here or in another tab', async () => {
      for (const logOut of ['here', 'there']) {
        const session = sessions.tab();
        await session.signIn('login');
        const askedMs = Date.now();
        await laterThan(askedMs);
        gateway.answer = () => ({ status: 200, body: {} });
        if (logOut === 'here') await session.logout();
        else await send(2, ['signedOut']);
        await send(3, ['refreshed', accessToken(300, 'late'), askedMs], ['signedIn', last, Date.now()]);
        expect(sessions.events).to.deep.equal(['signedIn', 'signedOut', 'signedIn']);
        expect(await session.accessToken(), logOut).to.equal(last);
        sessions.reset();
      }
    });

    it('reach no session that is closed, until it is used again', async () => {
      const signals: AbortSignal[] = [];
      const closed = sessions.tab({}, (_type, _listener, { signal }) => signals.push(signal));
      await closed.signIn('login');
      closed.close();
      expect(signals.map(({ aborted }) => aborted)).to.deep.equal([true, true, true]);
      const open = sessions.tab();
      await send(2, ['signedIn', last, Date.now()]);
      await send(3, ['signedOut']);
      expect(sessions.events).to.deep.equal(['signedIn', 'signedIn', 'signedOut']);
      expect(await open.accessToken()).to.equal(undefined);
      expect(await closed.accessToken()).to.equal(accessToken(300, 'a1'));
    });

    it('are not there in a browser that has no channel, or that forbids it: the session goes on', async () => {
      const { BroadcastChannel } = globalThis;
      for (const without of [
        undefined,
        class {
          constructor() {
            throw new DOMException('The operation is insecure.', 'SecurityError');
          }
        },
      ]) {
        Object.assign(globalThis, { BroadcastChannel: without });
        try {
          sessions.reset();
          const session = sessions.tab();
          await session.signIn('login');
          expect(await session.accessToken()).to.equal(accessToken(300, 'a1'));
          await session.logout().catch(() => {});
        } finally {
          Object.assign(globalThis, { BroadcastChannel });
        }
      }
    });
  });

  describe('an answer of 200 that is not one of the gateway', () => {
    const bodies = [{}, [], { access: '' }, { access: 5 }, { access: 'opaque' }, { access: 'a.!.c' }, { access: null }];
    for (const body of bodies) {
      it(`is repeated as other failures are: ${JSON.stringify(body)}`, async () => {
        gateway.answer = () => (gateway.requests.length < 2 ? { status: 200, body } : sessions.nextPair(300));
        await sessions.create().signIn('login');
        expect(sessions.events).to.deep.equal(['unavailable unavailable', 'signedIn']);
      });
    }

    it('is a failure that passes, and loses neither the token nor the session', async () => {
      const session = sessions.create();
      await session.signIn('login');
      gateway.answer = ({ path }) => ({ status: path === '/orders' ? 401 : 200, body: {} });
      await later(60_000, async () => {
        // The session returns the refusal of the request: without a new token it cannot repeat the request.
        expect((await session.fetch(`${gateway.origin}/orders`)).status).to.equal(401);
        expect((await failure(session.accessToken())).code).to.equal('unavailable');
      });
      expect(sessions.events).to.include('unavailable unavailable').and.not.include('signedOut');
      gateway.answer = () => sessions.nextPair(300);
      expect(await later(80_000, () => session.accessToken())).to.equal(accessToken(300, 'a2'));
      expect(sessions.bodies().at(-1)).to.equal('refresh=r1');
    });
  });

  it('uses an access token without iat from when it was asked for', async () => {
    const session = sessions.create();
    gateway.answer = () => ({ status: 200, body: { access: withoutIat(300), refresh: 'r1' } });
    await session.signIn('login');
    for (const afterMs of [0, 100_000, 200_000]) await later(afterMs, () => session.accessToken());
    expect(gateway.count(REFRESH)).to.equal(1);
    await later(280_000, () => session.accessToken());
    await until(() => sessions.events.includes('refreshed'));
    expect(gateway.count(REFRESH)).to.equal(2);
  });

  it('is not signed in again by a refresh whose token is saved while the user logs out', async () => {
    const items = new MapStorage();
    const saved = gate();
    let saving = 0;
    const setItem = async (key: string, value: string) => {
      if (value === 'r2') {
        saving++;
        await saved.opened;
      }
      items.setItem(key, value);
    };
    const session = sessions.create({ mode: { getItem: items.getItem, setItem, removeItem: items.removeItem } });
    gateway.answer = ({ path }) => (path === LOGOUT ? { status: 200, body: {} } : sessions.nextPair(300));
    await session.signIn('login');
    const refreshed = later(400_000, () => session.accessToken());
    await until(() => saving > 0);
    await session.logout();
    saved.open();
    expect(await refreshed).to.equal(undefined);
    expect(await session.accessToken()).to.equal(undefined);
    expect(sessions.events).to.deep.equal(['signedIn', 'refreshed', 'signedOut']);
  });

  it('throws what a storage throws, before the token of the login is used up', async () => {
    const items = new MapStorage();
    const full = new DOMException('The quota has been exceeded.', 'QuotaExceededError');
    const setItem = (): never => {
      throw full;
    };
    const session = sessions.create({ mode: { getItem: items.getItem, setItem, removeItem: items.removeItem } });
    expect(await session.signIn('login').catch((reason) => reason)).to.equal(full);
    expect(gateway.requests).to.deep.equal([]);
    await sessions.create().signIn('login');
    expect(sessions.bodies()).to.deep.equal(['refresh=login']);
  });

  it('ends all sessions by the newest token, for the answer with that may have been lost', async () => {
    const session = sessions.create();
    await session.signIn('login');
    gateway.answer = ({ path }) => (path === LOGOUT ? { status: 200, body: {} } : sessions.nextPair(300));
    await session.logout({ all: true });
    expect(sessions.bodies().slice(1)).to.deep.equal(['refresh=r1', 'refresh=r2&all_sessions=true']);
    gateway.answer = () => ({ ...UNAVAILABLE, headers: { 'retry-after': '9' } });
    const other = sessions.create({ mode: 'cookie' });
    expect((await failure(other.logout({ all: true }))).code).to.equal('unavailable');
    expect(gateway.requests.at(-1)?.path).to.equal(REFRESH);
  });

  describe('clocks', () => {
    const orders = () => `${gateway.origin}/orders`;

    it('asks the gateway after the machine has slept, while the second clock was stopped', async () => {
      const session = sessions.create();
      await session.signIn('login');
      const slept = { date: 8 * 3_600_000, monotonic: 0 };
      gateway.answer = () => ({ ...UNAVAILABLE, headers: { 'retry-after': '9' } });
      // The network is not back yet.
      expect((await withClocks(slept, () => failure(session.accessToken()))).code).to.equal('unavailable');
      gateway.answer = () => sessions.nextPair(300);
      const awake = { ...slept, monotonic: 12_000 };
      expect(await withClocks(awake, () => session.accessToken())).to.equal(accessToken(300, 'a2'));
      expect(sessions.events).to.not.include('signedOut');
    });

    it('knows the age of a token when the clock is set back', async () => {
      const session = sessions.create();
      await session.signIn('login');
      for (const date of [-3_600_000, -300_000, 0]) {
        const tokens = sessions.traded;
        await withClocks({ date, monotonic: 100_000 }, () => session.accessToken());
        expect(gateway.count(REFRESH)).to.equal(tokens);
      }
      expect(await withClocks({ date: 0, monotonic: 301_000 }, () => session.accessToken())).to.equal(
        accessToken(300, 'a2'),
      );
    });

    it('renews a token that is refused when the clock was set back to when it was new', async () => {
      const session = sessions.create();
      await session.signIn('login');
      gateway.answer = ({ path, authorization }) => {
        if (path !== '/orders') return sessions.nextPair(300);
        return { status: authorization === `Bearer ${accessToken(300, 'a2')}` ? 200 : 401 };
      };
      const response = await withClocks({ date: 0, monotonic: 200_000 }, () => session.fetch(orders()));
      expect(response.status).to.equal(200);
    });

    it('does not wait for longer than it said when the clock is set back', async () => {
      const session = sessions.create();
      gateway.answer = () => sessions.nextPair(0);
      await session.signIn('login');
      gateway.answer = () => ({ ...UNAVAILABLE, headers: { 'retry-after': '9' } });
      await failure(session.accessToken());
      gateway.answer = () => sessions.nextPair(300);
      const setBack = { date: -86_400_000, monotonic: 9_000 };
      expect(await withClocks(setBack, () => session.accessToken())).to.be.a('string');
    });
  });

  it('gives up on a gateway that does not answer, and asks again', async function () {
    this.timeout(20_000);
    gateway.answer = () => (gateway.requests.length < 2 ? new Promise<never>(() => {}) : sessions.nextPair(300));
    const startMs = performance.now();
    await sessions.create().signIn('login');
    expect(performance.now() - startMs).to.be.within(4_900, 9_000);
    expect(sessions.events).to.deep.equal(['unavailable unavailable', 'signedIn']);
  });
});
