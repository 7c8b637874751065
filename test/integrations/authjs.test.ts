// Tests of the Auth.js part of docs/integrations.md: its functions, compiled unchanged, on a real gateway.

import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { ROOT } from '../docs/markdown.js';
import type { AnyBrowser } from '../e2e/browser.js';
import { type RunningNode, Stage } from '../e2e/stage.js';
import { fileOnPage } from './page.js';

interface Tokens {
  readonly access: string;
  readonly refresh: string;
  readonly expiresAt: number;
}

/** What `latchkey.ts` exports. */
interface Recipe {
  tokensFrom(pair: { readonly access: string; readonly refresh: string }): Tokens;
  freshTokens(kept: Tokens, gateway: string): Promise<Tokens | null>;
  endSession(kept: Tokens, gateway: string): Promise<boolean>;
}

/** An address without a server: port 9 is for discard. */
const NO_SERVER = 'http://127.0.0.1:9';

describe('the Auth.js recipe of docs/integrations.md', function () {
  this.timeout(120_000);
  const stage = new Stage();
  let recipe: Recipe;
  let node: RunningNode;
  let browser: AnyBrowser;
  let url: string;

  before(async () => {
    recipe = await compiled(await stage.folder());
    node = await stage.serveHere(await stage.folder());
    browser = await stage.gatewayHere(node);
    url = `http://${browser.process.address}`;
  });
  after(() => stage.clear());

  /** Tokens of a new session. */
  const login = async (): Promise<Tokens> => {
    const { accessToken, refreshToken } = await node.client.issue('zoë', { name: 'Zoë ✓' });
    return recipe.tokensFrom({ access: accessToken, refresh: refreshToken });
  };
  /** The same, in the moment when the access token is about to end. */
  const late = (tokens: Tokens): Tokens => ({ ...tokens, expiresAt: Date.now() + 1_000 });

  it('keeps the tokens while the access token is good, and asks no server', async () => {
    const kept = await login();
    expect(kept.expiresAt - Date.now()).to.be.within(200_000, 300_000);
    expect(await recipe.freshTokens(kept, NO_SERVER)).to.equal(kept);
  });

  it('refreshes again and again, each time with the newest token', async () => {
    let kept = await login();
    for (let n = 0; n < 4; n++) {
      const next = await recipe.freshTokens(late(kept), url);
      expect(next?.refresh).not.to.equal(kept.refresh);
      expect(await node.client.verdict(next?.access ?? '')).to.equal('active');
      kept = next as Tokens;
    }
  });

  it('gives all callbacks that run at the same time, and one a moment later, the same pair', async () => {
    const kept = late(await login());
    const all = await Promise.all(Array.from({ length: 8 }, () => recipe.freshTokens(kept, url)));
    all.push(await recipe.freshTokens(kept, url));
    expect(new Set(all.map((tokens) => tokens?.refresh)).size).to.equal(1);
    expect(await recipe.freshTokens(late(all[0] as Tokens), url)).not.to.equal(null);
  });

  it('ends the session, and knows a session that is over', async () => {
    const kept = late(await login());
    expect(await recipe.endSession(kept, url)).to.equal(true);
    expect(await node.client.verdict(kept.access)).to.equal('REVOKED');
    expect(await recipe.freshTokens(kept, url)).to.equal(null);
    expect(await recipe.endSession(kept, NO_SERVER)).to.equal(false);
  });

  it('tries again with the same token after a 503, and after a refresh whose answer was lost', async () => {
    const kept = late(await login());
    const sent: string[] = [];
    const server = createServer(async (request, response) => {
      sent.push(await text(request));
      if (sent.length === 1) return response.writeHead(503, { 'retry-after': '1' }).end('{}');
      const answer = await browser.post(request.url ?? '', sent.at(-1) ?? '');
      if (sent.length === 2) return request.socket.destroy();
      return response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.text);
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    stage.owns(() => server.close());
    const next = await recipe.freshTokens(kept, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    expect(sent).to.deep.equal(Array<string>(3).fill(JSON.stringify({ refresh: kept.refresh })));
    expect(await node.client.verdict(next?.access ?? '')).to.equal('active');
    expect(next?.refresh).not.to.equal(kept.refresh);
  });

  it('keeps the tokens while the answer is unavailable, and gets the next pair once it is not', async () => {
    const kept = late(await login());
    const startMs = performance.now();
    expect(await recipe.freshTokens(kept, NO_SERVER)).to.equal(kept);
    // All attempts are within REFRESH_GRACE.
    expect(performance.now() - startMs).to.be.below(9_000);
    expect((await recipe.freshTokens(kept, url))?.refresh)
      .to.be.a('string')
      .and.not.equal(kept.refresh);
  });

  it('logs no user out where the URL is wrong, but says so, without the token', async () => {
    const kept = late(await login());
    const said: unknown[] = [];
    const original = globalThis.console;
    globalThis.console = { ...original, error: (...args: unknown[]) => void said.push(...args) };
    try {
      expect(await recipe.freshTokens(kept, `${url}/elsewhere`)).to.equal(kept);
    } finally {
      globalThis.console = original;
    }
    expect(said).to.deep.equal(['the refresh was answered 404: check the URL of the gateway']);
  });
});

/** Compiles the file of the page, as strictly as a project of its readers may, and loads it. */
async function compiled(folder: string): Promise<Recipe> {
  writeFileSync(join(folder, 'latchkey.ts'), fileOnPage('latchkey.ts'));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  const options = '--strict --noUncheckedIndexedAccess --target es2022 --module esnext --moduleResolution bundler';
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  const { status: code, stdout } = spawnSync(process.execPath, [tsc, ...options.split(' '), 'latchkey.ts'], {
    cwd: folder,
    encoding: 'utf8',
  });
  if (code !== 0) throw new Error(`latchkey.ts does not compile:\n${stdout}`);
  return (await import(pathToFileURL(join(folder, 'latchkey.js')).href)) as Recipe;
}
