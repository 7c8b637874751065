// `latchkey/browser` in a real Chromium where the browser or the user gets in the way.
// Frozen tabs, blocked cookies, another user in another tab, redirects, many requests at once. Run by
// `npm run test:browser`.

import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { elapse, until } from '../support/waiting.js';
import { APP, OTHER_SITE, WWW } from './front.js';
import { ACCESS_SECONDS, events, orders, type Rig, useRig } from './rig.js';

const WAIT_MS = 15_000;
/** The user of the access token. */
const subject = (page: Page): Promise<unknown> =>
  page.evaluate("session.accessToken().then((token) => token && JSON.parse(atob(token.split('.')[1])).sub)");
/** Freezes a tab as Chromium does with one that is not seen for long, or lets it go on. */
const setState = async (page: Page, state: 'frozen' | 'active'): Promise<void> => {
  const devTools = await page.context().newCDPSession(page);
  await devTools.send('Page.setWebLifecycleState', { state });
};

describe('latchkey/browser in Chromium, with what gets in the way', () => {
  let rig: Rig;
  useRig((each) => {
    rig = each;
  });

  it('ends in a tab that was frozen during a logout as soon as that goes on', async () => {
    const first = await rig.signedIn();
    const frozen = await rig.tab(first.context());
    expect(await orders(frozen)).to.equal(200);
    await setState(frozen, 'frozen');
    await first.evaluate('session.logout()');
    await elapse(500, 'the tab stays frozen');
    await setState(frozen, 'active');
    await frozen.waitForFunction("events.at(-1) === 'signedOut'", undefined, { timeout: 1_000, polling: 20 });
    expect(await orders(frozen)).to.equal('signed_out');
  });

  it('takes no token from a tab that was frozen in the middle of a refresh, once the user has logged out', async () => {
    const first = await rig.signedIn();
    const third = await rig.tab(first.context());
    expect(await orders(third)).to.equal(200);
    rig.front.fate = 'hold';
    const frozen = await rig.tab(first.context());
    frozen.evaluate('void session.accessToken()').catch(() => {});
    await until(() => rig.front.held > 0, WAIT_MS);
    await setState(frozen, 'frozen');
    await first.evaluate('session.logout()');
    rig.front.release();
    await elapse(500, 'the answer reaches the frozen tab');
    await setState(frozen, 'active');
    await frozen.waitForFunction("events.at(-1) === 'signedOut'");
    for (const page of [first, third, frozen]) expect(await orders(page)).to.equal('signed_out');
    expect(await events(third)).to.deep.equal(['signedIn', 'signedOut']);
  });

  it('takes the token of another user who has signed in in another tab', async () => {
    const first = await rig.signedIn();
    const second = await rig.tab(first.context());
    expect(await subject(second)).to.equal('alice');
    await first.evaluate("login('bob')");
    await second.waitForFunction("events.filter((event) => event !== 'refreshed').length === 2");
    await elapse(ACCESS_SECONDS * 1000, 'the tokens expire');
    for (const page of [first, second]) expect([await subject(page), await orders(page)]).to.deep.equal(['bob', 200]);
    expect(await events(second)).to.not.include('signedOut');
  });

  it('ends all sessions of the user though the answer to its last refresh was lost', async () => {
    const elsewhere = await rig.signedIn(`${APP}/`, 'carol');
    const page = await rig.signedIn(`${APP}/`, 'carol');
    rig.front.fate = 'lose';
    const lost = `fetch('/api/auth/token/refresh/', { method: 'POST', headers: { 'x-latchkey-mode': 'cookie' } })
      .then(() => 'got', () => 'lost')`;
    expect(await page.evaluate(lost)).to.equal('lost');
    rig.front.fate = 'pass';
    await page.evaluate('session.logout({ all: true })');
    for (const each of [page, elsewhere]) {
      await until(async () => (await orders(each)) === 'signed_out', WAIT_MS);
    }
  });

  it('makes one refresh for 50 requests at the start', async () => {
    const first = await rig.signedIn();
    const page = await rig.tab(first.context());
    const from = rig.front.passed.length;
    const all = 'Promise.all(Array.from({ length: 50 }, () => orders()))';
    expect(new Set(await page.evaluate<number[]>(all))).to.deep.equal(new Set([200]));
    expect(rig.front.refreshes(200, from)).to.equal(1);
  });

  it('sends a body again after a 401: a string, a form, a file, of a Request, too', async () => {
    const page = await rig.signedIn();
    await elapse(ACCESS_SECONDS * 200, 'a token that is new is not refreshed');
    const from = rig.front.asked.length;
    for (const request of [
      "'/orders', { method: 'POST', body: 'an order' }",
      "'/orders', { method: 'POST', body: (() => { const f = new FormData(); f.set('an', 'order'); return f; })() }",
      "'/orders', { method: 'POST', body: new File(['an order'], 'order.txt') }",
      "new Request('/orders', { method: 'PUT', body: 'an order' })",
    ]) {
      rig.front.refusals = 1;
      expect(await page.evaluate(`session.fetch(${request}).then(({ status }) => status)`), request).to.equal(200);
      await elapse(ACCESS_SECONDS * 200, 'a token that is new is not refreshed');
    }
    const sent = rig.front.asked.slice(from);
    expect(sent).to.have.length(8);
    for (const { body } of sent) expect(body).to.contain('order');
  });

  it('ends at once when its caller aborts during a refresh', async () => {
    const first = await rig.signedIn();
    const page = await rig.tab(first.context());
    rig.front.fate = 'hold';
    await page.evaluate(`globalThis.caller = new AbortController();
      globalThis.given = session.fetch('/orders', { signal: caller.signal }).catch(({ name }) => name); void 0`);
    await until(() => rig.front.held > 0, WAIT_MS);
    await page.evaluate('caller.abort()');
    expect(await page.evaluate('given')).to.equal('AbortError');
    expect(rig.front.held).to.be.above(0);
    rig.front.release();
    expect(await orders(page)).to.equal(200);
  });

  it('sends no token on where the API redirects to another site', async () => {
    const page = await rig.signedIn();
    rig.front.redirect(`${APP}/moved`, `${OTHER_SITE}/catch`);
    const from = rig.front.asked.length;
    expect(await page.evaluate("session.fetch('/moved').then(({ status }) => status)")).to.equal(200);
    const caught = rig.front.asked.slice(from).filter(({ method }) => method === 'GET');
    expect(caught).to.deep.equal([{ url: `${OTHER_SITE}/catch`, method: 'GET', authorization: undefined, body: '' }]);
  });

  it('takes no lock, and sets no timer while nothing fails', async () => {
    const context = await rig.user();
    await context.addInitScript(`globalThis.timers = [];
      for (const name of ['setTimeout', 'setInterval', 'requestIdleCallback']) {
        const original = globalThis[name];
        globalThis[name] = (...args) => { timers.push(name); return original(...args); };
      }`);
    const page = await rig.tab(context);
    await page.evaluate('login()');
    await elapse(ACCESS_SECONDS * 1200, 'the token expires');
    rig.front.fate = 'hold';
    page.evaluate('void orders()').catch(() => {});
    await until(() => rig.front.held > 0, WAIT_MS);
    expect(await page.evaluate('navigator.locks.query()')).to.deep.equal({ held: [], pending: [] });
    expect(await page.evaluate('timers')).to.deep.equal([]);
    rig.front.release();
    await page.waitForFunction("events.at(-1) === 'refreshed'");
    expect(await page.evaluate('timers')).to.deep.equal([]);
  });

  it('asks once whether it may, for many refreshes from a page of another origin', async () => {
    const page = await rig.signedIn(`${WWW}/`);
    const from = rig.front.passed.length;
    for (const round of [1, 2, 3]) {
      await elapse(ACCESS_SECONDS * 1000, 'the token expires');
      expect(await page.evaluate('session.accessToken().then((token) => !!token)'), `${round}`).to.equal(true);
    }
    const methods = rig.front.passed.slice(from).map(({ method }) => method);
    expect(methods.filter((method) => method === 'OPTIONS')).to.have.length(1);
    expect(methods.filter((method) => method === 'POST')).to.have.length(3);
    // Without cookies requests are as those of a form, which need no permission.
    const before = rig.front.passed.length;
    const inMemory = `(async () => {
      const { createSession } = await import('/lib/index.js');
      const session = createSession({ mode: 'memory', base: '${APP}' });
      const { refresh } = await (await fetch('/login', { method: 'POST', body: 'alice' })).json();
      await session.signIn(refresh);
      await session.logout();
    })()`;
    await page.evaluate(inMemory);
    expect(rig.front.passed.slice(before).map(({ method }) => method)).to.deep.equal(['POST', 'POST']);
  });

  it('lasts as long as one access token where the user blocks cookies, and then says that it has ended', async () => {
    const page = await rig.tab(await rig.userWithoutCookies());
    await page.evaluate('login()');
    expect(await orders(page)).to.equal(200);
    await elapse(ACCESS_SECONDS * 1000, 'the token expires');
    expect(await orders(page)).to.equal('signed_out');
    expect(await events(page)).to.deep.equal(['signedIn', 'signedOut']);
    const inMemory = `(async () => {
      const { createSession } = await import('/lib/index.js');
      const session = createSession({ mode: 'memory' });
      const { refresh } = await (await fetch('/login', { method: 'POST', body: 'alice' })).json();
      await session.signIn(refresh);
      await new Promise((resolve) => setTimeout(resolve, ${ACCESS_SECONDS * 1000}));
      return (await session.fetch('/orders')).status;
    })()`;
    expect(await page.evaluate(inMemory)).to.equal(200);
  });
});
