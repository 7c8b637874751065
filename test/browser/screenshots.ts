// The pictures of the demo page: signed in, in a second tab after a refresh, signed out there by the first.

import { join } from 'node:path';
import { elapse } from '../support/waiting.js';
import { launchChromium } from './chromium.js';

const VIEW = { width: 720, height: 560 };

/** @param folder where the pictures are written */
export async function takeScreenshots(url: string, folder: string): Promise<void> {
  const browser = await launchChromium();
  const context = await browser.newContext({ viewport: VIEW });
  const [first, second] = [await context.newPage(), await context.newPage()];
  const write = (page: typeof first, name: string) =>
    page.screenshot({ path: join(folder, `browser-demo-${name}.png`) });
  await first.goto(url);
  await first.click('text=Log in');
  await first.waitForFunction("document.querySelector('#orders').textContent.startsWith('200')");
  await write(first, 'signed-in');
  await second.goto(url);
  await second.waitForSelector('text=refreshed', { timeout: 60_000 });
  await elapse(1_000, 'the picture shows a page that is at rest');
  await write(second, 'second-tab');
  await first.click('text=Log out');
  await second.waitForSelector('text=signedOut');
  await write(second, 'signed-out');
  await browser.close();
}
