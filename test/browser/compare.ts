// Compares `latchkey/browser` with axios-auth-refresh and supabase's auth-js. Writes the table of docs/browsers.md.
// Five tabs for ten lifetimes of an access token, with two lost answers and a tab that is closed in the middle of a
// refresh.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../docs/markdown.js';
import { launchChromium } from './chromium.js';
import { type Compared, CompareServer } from './compare-server.js';
import { Contender, type Result } from './contender.js';

const PAGE = join(ROOT, 'docs/browsers.md');
const NAMES: Readonly<Record<Compared, string>> = {
  latchkey: '`latchkey/browser`',
  axios: 'axios-auth-refresh 5.0.2',
  supabase: 'auth-js 2.109.0 of supabase',
};
/** The grace windows that are compared, with the title of each in the table. */
const SERVERS = [
  { grace: '3s', title: 'Latchkey' },
  { grace: '0s', title: 'the same with `REFRESH_GRACE=0s`' },
] as const;

const rows: string[] = [];
for (const { grace, title } of SERVERS) {
  const server = await CompareServer.start(grace);
  const browser = await launchChromium();
  const results = await Promise.all(
    (Object.keys(NAMES) as Compared[]).map(async (name): Promise<[Compared, Result]> => {
      const contender = new Contender(server, await browser.newContext(), name);
      return [name, await contender.run()];
    }),
  );
  for (const [name, { logouts, refreshes, failed, asked }] of results) {
    rows.push(`| ${NAMES[name]} | ${title} | ${logouts} | ${refreshes} | ${failed} of ${asked} |`);
  }
  await browser.close();
  await server.stop();
}

const table = [
  '| Client | Server | Logouts | Refreshes sent | Requests to the API that failed |',
  '|---|---|---|---|---|',
  ...rows,
].join('\n');
const text = readFileSync(PAGE, 'utf8');
const figures = /<!-- figures -->.*<!-- end of figures -->/s;
writeFileSync(PAGE, text.replace(figures, `<!-- figures -->\n${table}\n<!-- end of figures -->`));
process.stdout.write(`${table}\n`);
