// `latchkey/browser` in a real Chromium, before a real gateway and service.
// Many tabs, lost answers, closed tabs, no network, the back-forward cache, React, a service worker. Run by
// `npm run test:browser`.

import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { elapse, holdsFor, until } from '../support/waiting.js';
import { bundle } from './bundle.js';
import { APP, WWW } from './front.js';
import { ACCESS_SECONDS, events, GRACE_SECONDS, orders, type Rig, useRig } from './rig.js';

const LIFETIMES = 10;
const TABS = 5;
const WAIT_MS = 15_000;

const hasToken = (page: Page): Promise<boolean> => page.evaluate('session.accessToken().then((token) => !!token)');
/**
 * Fetches until the page is closed, every 250 ms on average; what was not 200 is in `faults`. The pauses are random: tabs
 * that ask at the same moments also refresh at the same moments, before one can send its new token to the others.
 */
const KEEP_ASKING = `globalThis.faults = []; globalThis.asked = 0;
  globalThis.ask = () => {
    orders().then((status) => { asked++; if (status !== 200) faults.push(status); });
    setTimeout(ask, 500 * Math.random());
  };
  ask()`;

describe('latchkey/browser in Chromium', () => {
  let rig: Rig;
  useRig((each) => {
    rig = each;
  });

  it(`keeps ${TABS} tabs signed in for ${LIFETIMES} lifetimes of a token, and spares them many refreshes`, async function () {
    this.timeout(120_000);
    const first = await rig.signedIn();
    const tabs = [first];
    while (tabs.length < TABS) tabs.push(await rig.tab(first.context()));
    const from = rig.front.passed.length;
    for (const tab of tabs) await tab.evaluate(KEEP_ASKING);
    await elapse(LIFETIMES * ACCESS_SECONDS * 1000, 'the lifetimes of tokens pass');
    for (const tab of tabs) {
      expect(await tab.evaluate('faults')).to.deep.equal([]);
      expect(await tab.evaluate('asked')).to.be.above(50);
      expect(await events(tab)).to.not.include('signedOut');
    }
    const refreshes = rig.front.refreshes(200, from);
    expect(rig.front.passed.slice(from).filter(({ status }) => status !== 200)).to.deep.equal([]);
    // Alone, a tab renews its token after 72 to 88 % of its life: 12 times and more.
    expect(refreshes).to.be.within(LIFETIMES, 12 * TABS * 0.75);
  });

  it('gets the pair again when the answer to a refresh is lost', async () => {
    const first = await rig.signedIn();
    rig.front.fate = 'lose';
    const from = rig.front.passed.length;
    const second = await rig.tab(first.context());
    const token = hasToken(second);
    // The browser itself repeats a request if a used connection ends without an answer.
    await second.waitForFunction("events.includes('unavailable unavailable')");
    expect(rig.front.refreshes(200, from)).to.be.above(0);
    rig.front.fate = 'pass';
    expect([await token, await orders(second), await orders(first)]).to.deep.equal([true, 200, 200]);
    expect(await events(second))
      .to.include('unavailable unavailable')
      .and.not.include('signedOut');
  });

  for (const [title, end] of [
    ['is closed', (page: Page) => page.close()],
    [
      'crashes',
      async (page: Page) => {
        const crashed = page.waitForEvent('crash');
        page.goto('chrome://crash').catch(() => {});
        await crashed;
      },
    ],
  ] as const) {
    it(`goes on when a tab ${title} in the middle of a refresh`, async () => {
      const first = await rig.signedIn();
      const context = first.context();
      rig.front.fate = 'hold';
      const second = await rig.tab(context);
      second.evaluate('void session.accessToken()').catch(() => {});
      await until(() => rig.front.held > 0, WAIT_MS);
      await first.close();
      await end(second);
      rig.front.release();
      const third = await rig.tab(context);
      expect([await orders(third), await events(third)]).to.deep.equal([200, ['signedIn']]);
    });
  }

  it('stores the cookie of an answer that comes when the tab is closed already', async () => {
    const first = await rig.signedIn();
    const context = first.context();
    await rig.tab(context, `${APP}/other`).catch(() => {});
    rig.front.fate = 'hold';
    await first.reload();
    first.evaluate('void session.accessToken()').catch(() => {});
    await until(() => rig.front.held > 0, WAIT_MS);
    await first.close();
    await elapse(200, 'the browser ends the tab');
    rig.front.release();
    await elapse(GRACE_SECONDS * 1000 + 500, 'the old token comes to count as stolen');
    expect(await orders(await rig.tab(context))).to.equal(200);
  });

  it('keeps the session without a network, and goes on when that is back', async () => {
    const page = await rig.signedIn();
    await page.context().setOffline(true);
    await elapse(ACCESS_SECONDS * 1000, 'the token expires');
    expect(await orders(page)).to.equal('unavailable');
    expect(await orders(page)).to.equal('unavailable');
    await page.context().setOffline(false);
    await page.waitForFunction("events.at(-1) === 'refreshed'");
    expect(await orders(page)).to.equal(200);
    expect(await events(page)).to.not.include('signedOut');
  });

  it('ends the session of all tabs within a second of a logout', async () => {
    const first = await rig.signedIn();
    const tabs = [await rig.tab(first.context()), await rig.tab(first.context())];
    for (const tab of tabs) expect(await orders(tab)).to.equal(200);
    const startMs = performance.now();
    await first.evaluate('session.logout()');
    for (const tab of tabs) await tab.waitForFunction("events.at(-1) === 'signedOut'", undefined, { polling: 20 });
    expect(performance.now() - startMs).to.be.below(1_000);
    for (const tab of [first, ...tabs]) expect(await orders(tab)).to.equal('signed_out');
    expect(await first.context().cookies(`${APP}/api/auth/`)).to.deep.equal([]);
  });

  it('begins the session of all tabs with a login, too', async () => {
    const first = await rig.tab(await rig.user());
    const second = await rig.tab(first.context());
    for (const page of [first, second]) expect(await orders(page)).to.equal('signed_out');
    await first.evaluate('login()');
    await second.waitForFunction("events.at(-1) === 'signedIn'");
    expect(await orders(second)).to.equal(200);
  });

  it('asks the gateway in a page that comes from the back-forward cache, and signs out if another tab has', async () => {
    const first = await rig.signedIn();
    const other = await rig.tab(first.context());
    rig.front.page(`${APP}/elsewhere`, '<!doctype html>elsewhere');
    const leaveAndReturn = async (meanwhile: () => Promise<unknown>): Promise<void> => {
      await first.evaluate('globalThis.isRestored = false');
      await first.goto(`${APP}/elsewhere`);
      await meanwhile();
      // The page is not loaded again, which goBack would wait for.
      await first.evaluate('setTimeout(() => history.back())');
      await first.waitForURL(`${APP}/`, { waitUntil: 'commit' });
      await first.waitForFunction('globalThis.isRestored');
    };
    await leaveAndReturn(async () => {});
    expect(await orders(first)).to.equal(200);
    expect((await events(first)).at(-1)).to.equal('refreshed');
    await leaveAndReturn(() => other.evaluate('session.logout()'));
    await first.waitForFunction("events.at(-1) === 'signedOut'");
    expect(await orders(first)).to.equal('signed_out');
  });

  it('goes on after a reload, and a script cannot read the cookie', async () => {
    const page = await rig.signedIn();
    await page.reload();
    await page.waitForFunction('globalThis.isReady');
    expect(await orders(page)).to.equal(200);
    const [cookie] = await page.context().cookies(`${APP}/api/auth/`);
    expect(cookie).to.include({ name: '__Secure-lk-refresh', httpOnly: true, secure: true, sameSite: 'Strict' });
    const seen = await page.evaluate(`(async () => {
      history.replaceState({}, '', '/api/auth/');
      const answer = await fetch('/api/auth/token/refresh/', {
        method: 'POST', headers: { 'x-latchkey-mode': 'cookie' } });
      return [answer.status, document.cookie, JSON.stringify(await cookieStore.getAll()),
        [...answer.headers.keys()].join(), await answer.text()];
    })()`);
    const texts = seen as [number, ...string[]];
    expect(texts[0]).to.equal(200);
    expect(texts.slice(1, 4).join()).to.not.contain('lk-refresh').and.not.contain('set-cookie');
    expect(texts[4]).to.match(/^\{"access":"[\w.-]+"\}$/);
  });

  it('keeps a session in localStorage for all tabs, and one in memory for one', async () => {
    const page = await rig.tab(await rig.user());
    const inMode = (mode: string, body: string) => `(async () => {
      const { createSession } = await import('/lib/index.js');
      const session = createSession({ mode: ${mode} });
      ${body}
    })()`;
    const signIn = `const { refresh } = await (await fetch('/login', { method: 'POST', body: 'bob' })).json();
      await session.signIn(refresh);`;
    const status = "return (await session.fetch('/orders').catch(({ code }) => ({ status: code }))).status;";
    expect(await page.evaluate(inMode('localStorage', signIn + status))).to.equal(200);
    const second = await rig.tab(page.context());
    expect(await second.evaluate(inMode('localStorage', status))).to.equal(200);
    expect(await page.evaluate(inMode("'memory'", signIn + status))).to.equal(200);
    expect(await second.evaluate(inMode("'memory'", status))).to.equal('signed_out');
  });

  it('works on a page of another host of the site, which the gateway has in CORS_ORIGINS', async () => {
    const page = await rig.signedIn(`${WWW}/`);
    await page.reload();
    await page.waitForFunction('globalThis.isReady');
    expect(await hasToken(page)).to.equal(true);
    const [cookie] = await page.context().cookies(`${APP}/api/auth/`);
    expect(cookie).to.include({ name: '__Secure-lk-refresh', domain: 'app.site.test' });
    await page.evaluate('session.logout()');
    expect(await page.context().cookies(`${APP}/api/auth/`)).to.deep.equal([]);
    expect(await events(page)).to.deep.equal(['signedIn', 'signedOut']);
  });

  it('works under React in strict mode, which runs every effect twice', async () => {
    rig.front.page(`${APP}/react.js`, await bundle('test/browser/pages/react.js'), 'text/javascript');
    rig.front.page(
      `${APP}/react`,
      '<!doctype html><div id="root"></div><script type="module" src="/react.js"></script>',
    );
    const page = await rig.signedIn();
    const from = rig.front.passed.length;
    await page.goto(`${APP}/react`);
    await page.waitForFunction("document.querySelector('#orders')?.textContent === '200'");
    expect(await page.evaluate("document.querySelector('#effects').textContent")).to.equal('2');
    expect(rig.front.refreshes(200, from)).to.be.within(1, 2);
    await page.click('#logout');
    await page.waitForFunction("document.querySelector('#state')?.textContent === 'signed out'");
    // The session of the first effect is closed: it gets no message of the other one.
    await holdsFor(200, async () => {
      expect(await page.evaluate("document.querySelector('#ends').textContent")).to.equal('1');
    });
  });

  it('works in a service worker, which adds the token to the requests of its pages', async () => {
    rig.front.page(
      `${APP}/worker.js`,
      `import { createSession } from '/lib/index.js';
       const session = createSession({ mode: 'cookie' });
       addEventListener('activate', (event) => event.waitUntil(clients.claim()));
       addEventListener('fetch', (event) => {
         if (new URL(event.request.url).pathname === '/orders') {
           event.respondWith(session.fetch(event.request).catch(({ code }) => Response.json({ code }, { status: 499 })));
         }
       });`,
      'text/javascript',
    );
    const page = await rig.signedIn();
    await page.evaluate(`navigator.serviceWorker.register('/worker.js', { type: 'module' })
      .then(() => navigator.serviceWorker.ready)
      .then(() => navigator.serviceWorker.controller
        ?? new Promise((resolve) => navigator.serviceWorker.addEventListener('controllerchange', resolve)))
      .then(() => undefined)`);
    const plain = "fetch('/orders').then(({ status }) => status)";
    expect(await page.evaluate(plain)).to.equal(200);
    await page.evaluate('session.logout()');
    await until(async () => (await page.evaluate(plain)) === 499, WAIT_MS);
  });
});
