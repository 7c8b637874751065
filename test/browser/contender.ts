// One client of the comparison: its five tabs, what happens to them, and what is counted.

import type { BrowserContext, Page } from 'playwright-core';
import { elapse, until } from '../support/waiting.js';
import { ACCESS_SECONDS, type Compared, type CompareServer } from './compare-server.js';

const TABS = 5;
const LIFETIMES = 10;
/** When what happens, in lifetimes. */
const LOSSES = [2.5, 6.5];
const CLOSING = 4.5;
const LOSES_MS = 300;
const LOOK_MS = 300;

export interface Result {
  readonly logouts: number;
  readonly refreshes: number;
  readonly failed: number;
  readonly asked: number;
}

export class Contender {
  readonly #server: CompareServer;
  readonly #context: BrowserContext;
  readonly #name: Compared;
  #tabs: Page[] = [];
  #opened = 0;
  #logouts = 0;
  #failed = 0;
  #asked = 0;
  #isOver = false;

  constructor(server: CompareServer, context: BrowserContext, name: Compared) {
    this.#server = server;
    this.#context = context;
    this.#name = name;
  }

  async run(): Promise<Result> {
    const first = await this.#open();
    await this.#signIn(first);
    while (this.#tabs.length < TABS) await this.#open();
    const begins = this.#server.refreshes(this.#name);
    for (const tab of this.#tabs) await tab.evaluate('globalThis.isStarted = true');
    const watch = this.#watch();
    await Promise.all([
      elapse(LIFETIMES * ACCESS_SECONDS * 1000, 'the length of the run'),
      ...LOSSES.map((lifetimes) => this.#after(lifetimes, () => this.#loseAnswers())),
      this.#after(CLOSING, () => this.#closeInRefresh()),
    ]);
    this.#isOver = true;
    await watch;
    for (const tab of this.#tabs) await this.#count(tab);
    const refreshes = this.#server.refreshes(this.#name) - begins;
    return { logouts: this.#logouts, refreshes, failed: this.#failed, asked: this.#asked };
  }

  async #open(): Promise<Page> {
    const page = await this.#context.newPage();
    await page.goto(`${this.#server.origin}/${this.#name}?tab=${this.#opened++}`);
    await page.waitForFunction('globalThis.isReady');
    this.#tabs.push(page);
    return page;
  }

  async #signIn(page: Page): Promise<void> {
    const pair = await this.#server.login();
    await page.evaluate(`signIn(${JSON.stringify(pair)})`);
  }

  /** Signs the user in again after each logout, and counts those. */
  async #watch(): Promise<void> {
    while (!this.#isOver) {
      await elapse(LOOK_MS, 'paces looks');
      const [tab] = this.#tabs;
      if (!tab || !(await tab.evaluate('isSignedOut()'))) continue;
      this.#logouts++;
      await this.#signIn(tab);
    }
  }

  async #after(lifetimes: number, happen: () => Promise<void>): Promise<void> {
    await elapse(lifetimes * ACCESS_SECONDS * 1000, 'the lifetimes of tokens pass');
    await happen();
  }

  /** Loses the answer to the next refresh, and those of the moment after it. */
  async #loseAnswers(): Promise<void> {
    const before = this.#server.refreshes(this.#name);
    this.#server.setFate(this.#name, 'lose');
    await until(() => this.#server.refreshes(this.#name) > before, ACCESS_SECONDS * 2000);
    await elapse(LOSES_MS, 'the fault lasts');
    this.#server.setFate(this.#name, 'pass');
  }

  /** Closes the tab that sends the next refresh before it gets the answer, which is lost. A new tab takes its place. */
  async #closeInRefresh(): Promise<void> {
    this.#server.setFate(this.#name, 'hold');
    await until(() => this.#server.heldTab(this.#name) !== undefined, ACCESS_SECONDS * 2000);
    const held = `?tab=${this.#server.heldTab(this.#name)}`;
    const closed = this.#tabs.find((tab) => tab.url().endsWith(held));
    this.#tabs = this.#tabs.filter((tab) => tab !== closed);
    if (closed) {
      await this.#count(closed);
      await closed.close();
    }
    this.#server.setFate(this.#name, 'lose');
    await elapse(LOSES_MS, 'the fault lasts');
    this.#server.setFate(this.#name, 'pass');
    const page = await this.#open();
    await page.evaluate('globalThis.isStarted = true');
  }

  async #count(tab: Page): Promise<void> {
    const { asked, failed } = await tab.evaluate<{ asked: number; failed: number }>('counts');
    this.#asked += asked;
    this.#failed += failed;
  }
}
