// The system's Chromium, driven by playwright.

import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium } from 'playwright-core';

const COMMANDS = ['chromium', 'chromium-browser', 'google-chrome'];

const executable = (): string => {
  const search = COMMANDS.map((name) => `command -v ${name}`).join(' || ');
  return execFileSync('sh', ['-c', search], { encoding: 'utf8' }).trim();
};

const options = (args: readonly string[]) => ({
  executablePath: executable(),
  args: ['--no-sandbox', ...args],
  // Users have this cache; playwright turns it off.
  ignoreDefaultArgs: ['--disable-back-forward-cache'],
});

/** @param args options of Chromium beside those that it needs in containers */
export const launchChromium = (args: readonly string[] = []): Promise<Browser> => chromium.launch(options(args));

/**
 * Chromium of a user who has changed its settings.
 * @param folder of the profile, which is empty
 * @param preferences as Chromium writes them
 */
export async function launchWithPreferences(
  folder: string,
  preferences: object,
  args: readonly string[],
): Promise<BrowserContext> {
  await mkdir(join(folder, 'Default'), { recursive: true });
  await writeFile(join(folder, 'Default/Preferences'), JSON.stringify(preferences));
  return chromium.launchPersistentContext(folder, { ...options(args), ignoreHTTPSErrors: true });
}
