// The demo of `latchkey/browser`, as `npm run demo` starts it, in a real Chromium. Run by `npm run test:browser`.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { Browser, Page } from 'playwright-core';
import { launchChromium } from './chromium.js';

const DEMO = fileURLToPath(new URL('./demo.js', import.meta.url));
const text = (page: Page, id: string): Promise<string> => page.evaluate(`document.getElementById('${id}').textContent`);
const shows = (page: Page, id: string, content: string): Promise<unknown> =>
  page.waitForFunction(`document.getElementById('${id}').textContent.startsWith('${content}')`);

describe('the demo in Chromium', () => {
  let demo: ChildProcess;
  let browser: Browser;
  let url: string;
  before(async function () {
    this.timeout(60_000);
    demo = spawn(process.execPath, [DEMO], {
      env: { ...process.env, PORT: '0' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: demo.stdout as NodeJS.ReadableStream });
    const [line] = (await once(lines, 'line')) as [string];
    url = /http:\S+/.exec(line)?.[0] ?? '';
    browser = await launchChromium();
  });
  after(async () => {
    await browser.close();
    demo.kill('SIGTERM');
    expect(await once(demo, 'exit')).to.deep.equal([0, null]);
  });

  it('logs in, turns the tokens over in two tabs though answers are lost, and logs out of both', async function () {
    this.timeout(90_000);
    const context = await browser.newContext();
    const [first, second] = [await context.newPage(), await context.newPage()];
    await first.goto(url);
    await first.click('text=Log in');
    await shows(first, 'orders', '200');
    await second.goto(url);
    await shows(second, 'orders', '200');
    expect([await text(second, 'subject'), await text(second, 'cookie')]).to.deep.equal([
      'alice',
      'empty: no script can read the refresh token',
    ]);
    const generation = Number(await text(second, 'generation'));
    for (const page of [first, second]) {
      await page.waitForFunction(
        `Number(document.getElementById('generation').textContent) > ${generation}`,
        undefined,
        {
          timeout: 40_000,
        },
      );
    }
    await first.click('text=Lose answers for 2 seconds');
    await first.click('text=Log out everywhere');
    for (const page of [first, second]) await page.waitForSelector('form', { state: 'visible' });
    await second.reload();
    await second.waitForSelector('form', { state: 'visible' });
  });
});
