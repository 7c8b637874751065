// A real Chromium before real pages, a real gateway and a real service: what the tests of the browser library run on.

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { TestClient } from '../support/auth-client.js';
import { JWT_SECRET, type Started, startGateway, startServe } from '../support/processes.js';
import { launchChromium, launchWithPreferences } from './chromium.js';
import { APP, Front, HOST_APP, WWW } from './front.js';
import { quickFolder } from './quick-folder.js';

/** The lifetimes of the service, seconds. Short, so that ten of them pass while a test waits. */
export const ACCESS_SECONDS = 4;
export const GRACE_SECONDS = 3;

/** A page of the app without a build: the session is in `session`, what has happened to it in `events`. */
export const APP_PAGE = `<!doctype html><title>app</title><script type="module">
  import { createSession } from '/lib/index.js';
  const events = [];
  const session = createSession({ mode: 'cookie' });
  for (const event of ['signedIn', 'refreshed', 'signedOut', 'unavailable']) {
    session.on(event, (error) => events.push(error ? event + ' ' + error.code : event));
  }
  const login = async (subject = 'alice') => {
    const { refresh } = await (await fetch('/login', { method: 'POST', body: subject })).json();
    await session.signIn(refresh);
  };
  /** The status of a request to the API; or why there is none. */
  const orders = () => session.fetch('/orders').then(({ status }) => status, (error) => error.code ?? error.name);
  Object.assign(globalThis, { session, events, login, orders, isReady: true });
  addEventListener('pageshow', ({ persisted }) => persisted && (globalThis.isRestored = true));
</script>`;

const CORS = { CORS_ORIGINS: WWW, CORS_CREDENTIALS: 'true' };

/** The options of Chromium, so that the hosts of the tests are those of the front. */
const browserArgs = (front: Front): readonly string[] => [
  '--ignore-certificate-errors',
  `--host-resolver-rules=MAP *.test 127.0.0.1:${front.port}`,
];

export class Rig {
  readonly front: Front;
  readonly #browser: Browser;
  readonly #service: Started;
  readonly #gateways: readonly Started[];
  readonly #client: TestClient;
  readonly #folder: string;
  readonly #contexts: BrowserContext[] = [];

  private constructor(parts: {
    front: Front;
    browser: Browser;
    service: Started;
    gateways: readonly Started[];
    client: TestClient;
    folder: string;
  }) {
    this.front = parts.front;
    this.#browser = parts.browser;
    this.#service = parts.service;
    this.#gateways = parts.gateways;
    this.#client = parts.client;
    this.#folder = parts.folder;
  }

  static async start(): Promise<Rig> {
    const folder = await quickFolder();
    const lifetimes = { ACCESS_TTL: `${ACCESS_SECONDS}s`, REFRESH_GRACE: `${GRACE_SECONDS}s` };
    const service = await startServe({ env: { DATA_DIR: join(folder, 'data'), JWT_SECRET, ...lifetimes } });
    const [gateway, hostGateway] = await Promise.all(
      ['true', 'host'].map((REFRESH_COOKIE) => startGateway(service.address, { env: { REFRESH_COOKIE, ...CORS } })),
    );
    if (!gateway || !hostGateway) throw new Error('there are two gateways');
    const client = new TestClient(service.address);
    const front = await Front.start({
      gatewayOf: (host) => (`https://${host}` === HOST_APP ? hostGateway : gateway).address,
      login: async (subject) => (await client.issue(subject)).refreshToken,
    });
    for (const origin of [APP, HOST_APP]) front.page(`${origin}/`, APP_PAGE);
    front.page(`${WWW}/`, APP_PAGE.replace("mode: 'cookie'", `mode: 'cookie', base: '${APP}'`));
    const browser = await launchChromium(browserArgs(front));
    return new Rig({ front, browser, service, gateways: [gateway, hostGateway], client, folder });
  }

  /** A user's browser: cookies and storage of its own. */
  async user(): Promise<BrowserContext> {
    const context = await this.#browser.newContext({ ignoreHTTPSErrors: true });
    this.#contexts.push(context);
    return context;
  }

  /** The browser of a user who blocks all cookies, which is closed with the others. */
  async userWithoutCookies(): Promise<BrowserContext> {
    const preferences = { profile: { default_content_setting_values: { cookies: 2 } } };
    const context = await launchWithPreferences(join(this.#folder, 'profile'), preferences, browserArgs(this.front));
    this.#contexts.push(context);
    return context;
  }

  /** A tab of the app. */
  async tab(context: BrowserContext, url = `${APP}/`): Promise<Page> {
    const page = await context.newPage();
    await page.goto(url);
    await page.waitForFunction('globalThis.isReady');
    return page;
  }

  /** A tab of the app in a browser of its own, where a user has signed in. */
  async signedIn(url = `${APP}/`, subject = 'alice'): Promise<Page> {
    const page = await this.tab(await this.user(), url);
    await page.evaluate(`login('${subject}')`);
    return page;
  }

  /** Closes the browsers of the users so far. */
  async clear(): Promise<void> {
    this.front.release();
    this.front.refusals = 0;
    for (const context of this.#contexts.splice(0)) await context.close();
  }

  async stop(): Promise<void> {
    await this.clear();
    await this.#browser.close();
    this.front.stop();
    this.#client.close();
    for (const gateway of this.#gateways) await gateway.stop();
    await this.#service.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Gives the tests of a describe a rig, without pages before each of them. */
export function useRig(take: (rig: Rig) => void): void {
  let rig: Rig;
  before(async function () {
    this.timeout(60_000);
    rig = await Rig.start();
    take(rig);
  });
  after(() => rig.stop());
  afterEach(() => rig.clear());
}

/** The status of a request of the page of the app; or why there is none. */
export const orders = (page: Page): Promise<unknown> => page.evaluate('orders()');
/** What has happened to the session of the page. */
export const events = (page: Page): Promise<string[]> => page.evaluate('events');
