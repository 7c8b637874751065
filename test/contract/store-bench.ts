// A store on a fresh data set for the contract tests, with short ways to write and read.

import { expect } from 'chai';
import { StoreUnavailable } from '../../src/core/errors.js';
import type { CompareAndSetResult, RevocationLogs, Store } from '../../src/core/ports.js';
import type { StoreKey } from '../../src/core/session/store-keys.js';
import { makeSessionId } from '../../src/core/token/session-id.js';

export type ClosableStore = Store & RevocationLogs & { close(): Promise<void> };

/** One data set, and the way to let time pass in it. */
export interface StoreWorld {
  /** Opens one more store on the data set, ready to use. */
  open(): Promise<ClosableStore>;
  /** Lets time pass for the data set, ms. */
  pass(ms: number): Promise<void>;
  /** Closes what was opened, and removes the data set. */
  dispose(): Promise<void>;
}

export const HOUR_MS = 3_600_000;
/** A lifetime that a test waits for, ms. */
export const SHORT_MS = 250;

let made = 0;
export const freshSession = (subject: string): StoreKey => {
  const entropy = new Uint8Array(10);
  new DataView(entropy.buffer).setUint32(2, ++made);
  return { kind: 'session', subject, sessionId: makeSessionId(Date.now(), entropy) };
};
export const cutOff = (subject: string): StoreKey => ({ kind: 'not-before', subject });

/** The stamp of a text, Unix ms. */
export const stampOf = (text: string | undefined): number => Number(/^1 (\d+) /.exec(text ?? '')?.[1]);

/** Waits for a call that must fail with StoreUnavailable. */
export async function unavailable(work: Promise<unknown>): Promise<StoreUnavailable> {
  const outcome = await work.then(
    () => 'an answer',
    (error: unknown) => error,
  );
  expect(outcome).to.be.instanceOf(StoreUnavailable);
  return outcome as StoreUnavailable;
}

export class StoreBench {
  readonly #create: () => Promise<StoreWorld>;
  #current: { readonly world: StoreWorld; readonly store: ClosableStore } | undefined;

  /** @param create makes an empty data set */
  constructor(create: () => Promise<StoreWorld>) {
    this.#create = create;
  }

  /** Before each test. */
  async start(): Promise<void> {
    const world = await this.#create();
    this.#current = { world, store: await world.open() };
  }

  /** After each test. */
  async stop(): Promise<void> {
    await this.#current?.world.dispose();
    this.#current = undefined;
  }

  get world(): StoreWorld {
    return this.#now.world;
  }

  get store(): ClosableStore {
    return this.#now.store;
  }

  get #now() {
    if (this.#current === undefined) throw new Error('the bench has not been started');
    return this.#current;
  }

  async text(key: StoreKey): Promise<string | undefined> {
    return (await this.store.read([key]))[0];
  }

  write(key: StoreKey, expected: string | undefined, value: string, lifetimeMs?: number): Promise<CompareAndSetResult> {
    const { store } = this;
    return store.compareAndSet(key, expected, { value, atLeastMs: 0, lifetimeMs, notAfterMs: store.now(0) + HOUR_MS });
  }

  /** Writes, and must win. Returns the new text. */
  async put(key: StoreKey, expected: string | undefined, value: string, lifetimeMs?: number): Promise<string> {
    const { applied, current } = await this.write(key, expected, value, lifetimeMs);
    expect(applied).to.equal(true);
    if (current === undefined) throw new Error('a swap that was applied must return what it wrote');
    return current;
  }
}
