// The code of docs/browsers.md in a real Chromium. Run by `npm run test:browser`.

import { expect } from 'chai';
import { readText } from '../docs/markdown.js';
import { APP } from './front.js';
import { type Rig, useRig } from './rig.js';

describe('docs/browsers.md in Chromium', () => {
  let rig: Rig;
  useRig((each) => {
    rig = each;
  });

  it('has code of a page that signs in, asks a service and signs out', async () => {
    const [, code = ''] = /## A page\n[\s\S]*?```js\n([\s\S]*?)```/.exec(readText('docs/browsers.md')) ?? [];
    // The hosts of the test in the place of those of the page.
    const script = code
      .replace("'latchkey/browser'", "'/lib/index.js'")
      .replace('https://auth.example.com', APP)
      .replaceAll('https://api.example.com', APP);
    expect(script).to.not.contain('example.com');
    rig.front.page(`${APP}/session.js`, script, 'text/javascript');
    rig.front.page(
      `${APP}/page`,
      `<!doctype html><form><input name="user" value="alice"></form><script type="module">
        globalThis.shown = [];
        globalThis.showLogin = () => shown.push('login');
        globalThis.showOrders = () => shown.push('orders');
        globalThis.app = await import('/session.js');
        globalThis.isReady = true;
      </script>`,
    );
    const page = await rig.tab(await rig.user(), `${APP}/page`);
    expect(await page.evaluate('shown')).to.deep.equal(['login']);
    await page.evaluate("app.signIn(document.querySelector('form'))");
    expect(await page.evaluate('app.readOrders()')).to.deep.equal({});
    await page.reload();
    await page.waitForFunction('globalThis.isReady');
    expect(await page.evaluate('shown')).to.deep.equal(['orders']);
    await page.evaluate('app.signOut()');
    await page.waitForFunction("shown.at(-1) === 'login'");
    expect(await page.evaluate('app.readOrders().catch(({ code }) => code)')).to.equal('signed_out');
  });

  it('has a login back end that keeps the refresh token from the page', async () => {
    const page = await rig.tab(await rig.user());
    await page.evaluate("fetch('/login-with-cookie', { method: 'POST', body: 'alice' }).then(() => session.signIn())");
    expect(await page.evaluate('events')).to.deep.equal(['signedIn']);
    expect(await page.evaluate('orders()')).to.equal(200);
  });
});
