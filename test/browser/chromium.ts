// The system's Chromium, driven by playwright.

import { execFileSync } from 'node:child_process';
import { type Browser, chromium } from 'playwright-core';

const COMMANDS = ['chromium', 'chromium-browser', 'google-chrome'];

/** @param args options of Chromium beside those that it needs in containers */
export function launchChromium(args: readonly string[] = []): Promise<Browser> {
  const search = COMMANDS.map((name) => `command -v ${name}`).join(' || ');
  return chromium.launch({
    executablePath: execFileSync('sh', ['-c', search], { encoding: 'utf8' }).trim(),
    args: ['--no-sandbox', ...args],
    // Users have this cache; playwright turns it off.
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
  });
}
