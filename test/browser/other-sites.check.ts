// What pages of other origins can do to a session in cookie mode, in a real Chromium.
// Forms, fetches with credentials, images, frames, beacons, cookies for the whole domain. Run by
// `npm run test:browser`.

import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { APP, HOST_APP, OTHER_SITE, SIBLING } from './front.js';
import { orders, type Rig, useRig } from './rig.js';

const PATHS = ['/api/auth/token/refresh/', '/api/auth/logout/', '/api/auth/session/'];
/** Tries everything against one path, and waits until the browser has sent or refused it. */
const ATTACK = `async (url) => {
  const settled = (promise) => promise.then(() => 'sent', () => 'failed');
  const loaded = (element) => new Promise((resolve) => {
    element.onload = element.onerror = resolve;
    document.body.append(element);
    setTimeout(resolve, 2000);
  });
  const post = { method: 'POST', credentials: 'include' };
  const header = { 'x-latchkey-mode': 'cookie' };
  await settled(fetch(url, { ...post, mode: 'no-cors' }));
  await settled(fetch(url, { ...post, mode: 'no-cors', body: '{}', headers: { 'content-type': 'text/plain' } }));
  await settled(fetch(url, { ...post, headers: header }));
  await settled(fetch(url, { ...post, headers: { ...header, 'content-type': 'application/json' }, body: '{}' }));
  navigator.sendBeacon(url, new URLSearchParams({ all_sessions: 'true' }));
  await loaded(Object.assign(new Image(), { src: url }));
  await loaded(Object.assign(document.createElement('iframe'), { src: url }));
  for (const enctype of ['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain']) {
    const frame = Object.assign(document.createElement('iframe'), { name: 'target' + Math.random() });
    document.body.append(frame);
    const form = Object.assign(document.createElement('form'), { action: url, method: 'post', enctype, target: frame.name });
    form.innerHTML = '<input name="refresh" value=""><input name="all_sessions" value="true">';
    document.body.append(form);
    const answered = new Promise((resolve) => { frame.onload = resolve; setTimeout(resolve, 2000); });
    form.submit();
    await answered;
  }
}`;

/** The status of a refresh, as the app itself makes it. */
const refresh = (page: Page): Promise<unknown> =>
  page.evaluate(`fetch('/api/auth/token/refresh/', { method: 'POST', headers: { 'x-latchkey-mode': 'cookie' } })
    .then(({ status }) => status)`);

describe('pages of other origins, in Chromium', () => {
  let rig: Rig;
  useRig((each) => {
    rig = each;
    for (const origin of [SIBLING, OTHER_SITE]) rig.front.page(`${origin}/`, '<!doctype html><body>evil');
  });

  const evil = async (page: Page, origin: string): Promise<Page> => {
    const other = await page.context().newPage();
    await other.goto(`${origin}/`);
    return other;
  };

  for (const [title, origin] of [
    ['another site', OTHER_SITE],
    ['another host of the site', SIBLING],
  ] as const) {
    it(`refresh nothing and end nothing from ${title}: forms, fetches, images, frames, beacons`, async () => {
      const page = await rig.signedIn();
      const other = await evil(page, origin);
      const [before] = await page.context().cookies(`${APP}/api/auth/`);
      const from = rig.front.passed.length;
      for (const path of PATHS) await other.evaluate(`(${ATTACK})(${JSON.stringify(APP + path)})`);
      const tried = rig.front.passed.slice(from).filter(({ site }) => site !== 'same-origin');
      // Preflights, and what needs none: all of it was refused.
      expect(tried.length).to.be.above(15);
      expect(tried.filter(({ status }) => status < 300 && status !== 204)).to.deep.equal([]);
      const [after] = await page.context().cookies(`${APP}/api/auth/`);
      expect(after?.value).to.equal(before?.value);
      expect([await refresh(page), await orders(page)]).to.deep.equal([200, 200]);
    });
  }

  for (const [title, origin] of [
    ['another site', OTHER_SITE],
    ['another host of the site', SIBLING],
  ] as const) {
    it(`refresh nothing and end nothing from ${title} by a form that takes the user there`, async () => {
      const page = await rig.signedIn();
      const [before] = await page.context().cookies(`${APP}/api/auth/`);
      for (const path of PATHS) {
        const other = await evil(page, origin);
        const from = rig.front.passed.length;
        await other.evaluate(`{
          const form = Object.assign(document.createElement('form'), { action: '${APP}${path}', method: 'post' });
          form.innerHTML = '<input name="all_sessions" value="true">';
          document.body.append(form);
          form.submit();
        }`);
        await other.waitForURL(APP + path);
        const sites = rig.front.passed.slice(from).map(({ site, status }) => [site, status]);
        expect(sites).to.deep.equal([[origin === SIBLING ? 'same-site' : 'cross-site', path === PATHS[2] ? 403 : 400]]);
      }
      const [after] = await page.context().cookies(`${APP}/api/auth/`);
      expect(after?.value).to.equal(before?.value);
      expect([await refresh(page), await orders(page)]).to.deep.equal([200, 200]);
    });
  }

  it('cannot frame the app of another site so that it uses the session', async () => {
    const page = await rig.signedIn();
    const other = await evil(page, OTHER_SITE);
    const from = rig.front.passed.length;
    await other.evaluate(`new Promise((resolve) => {
      const frame = Object.assign(document.createElement('iframe'), { src: '${APP}/', onload: resolve });
      document.body.append(frame);
    })`);
    const framed = other.frames().find((frame) => frame.url() === `${APP}/`);
    await framed?.waitForFunction('globalThis.isReady');
    expect(await framed?.evaluate('orders()')).to.equal('signed_out');
    expect(rig.front.refreshes(200, from)).to.equal(0);
    expect([await orders(page), await page.evaluate('events')]).to.deep.equal([200, ['signedIn']]);
  });

  it('cannot put a cookie of their own in the place of ours: the session waits until it is gone', async () => {
    const page = await rig.signedIn();
    const sibling = await evil(page, SIBLING);
    const attributes = 'Domain=site.test; Path=/api/auth/; Secure';
    await sibling.evaluate(`document.cookie = '__Secure-lk-refresh=tossed; ${attributes}'`);
    const [before] = await page.context().cookies(`${APP}/api/auth/`);
    expect(await refresh(page)).to.equal(400);
    expect(await page.evaluate('session.logout().catch(({ code }) => code)')).to.equal('refused');
    expect(await orders(page)).to.equal(200);
    expect(await page.context().cookies(`${APP}/api/auth/`))
      .to.have.length(2)
      .and.deep.include(before);
    await sibling.evaluate(`document.cookie = '__Secure-lk-refresh=; Max-Age=0; ${attributes}'`);
    expect([await refresh(page), await orders(page)]).to.deep.equal([200, 200]);
  });

  it('cannot set a cookie that passes for ours by another spelling', async () => {
    const page = await rig.signedIn();
    const sibling = await evil(page, SIBLING);
    for (const pair of [
      ...['=__Secure-lk-refresh=tossed', '__secure-lk-refresh=tossed', '\\u00a0__Secure-lk-refresh=tossed'],
      ...['lk-refresh=tossed', '__Secure-lk-refresh\\u2000=tossed', 'a=1,__Secure-lk-refresh=tossed'],
    ]) {
      await sibling.evaluate(`document.cookie = '${pair}; Domain=site.test; Path=/api/auth/; Secure'`);
      expect(await refresh(page), pair).to.equal(200);
    }
    expect(await orders(page)).to.equal(200);
  });

  it('cannot disturb a session whose cookie has the prefix __Host-', async () => {
    const page = await rig.signedIn(`${HOST_APP}/`);
    const sibling = await evil(page, SIBLING);
    for (const attributes of ['Domain=site.test; Path=/; Secure', 'Domain=site.test; Path=/api/auth/; Secure']) {
      await sibling.evaluate(`document.cookie = '__Host-lk-refresh=tossed; ${attributes}'`);
    }
    expect([await refresh(page), await orders(page)]).to.deep.equal([200, 200]);
    const names = (await page.context().cookies(`${HOST_APP}/`)).map(({ name }) => name);
    expect(names).to.deep.equal(['__Host-lk-refresh']);
  });
});
