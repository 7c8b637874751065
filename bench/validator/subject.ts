// What the bench of the validator runs against: a service on a core of its own, Redis, and tokens of fresh sessions.

import { writeClaims } from '../../src/core/token/claims.js';
import { createValidator } from '../../src/validator/create-validator.js';
import type { Validator, ValidatorOptions } from '../../src/validator/index.js';
import { cpuMsOf } from '../machine/usage.js';
import type { Child } from '../servers/child.js';
import { startServe } from '../servers/latchkey.js';
import type { Algorithm } from '../speed/keys.js';
import { Lab } from '../speed/lab.js';
import { tokenOf } from '../speed/tokens.js';
import type { FilledStore } from '../stores/filled.js';
import { appendEnds } from '../stores/redis-fill.js';

/** A claim that brings a token under HS256 to 700 characters. */
const PAD = 'x'.repeat(223);

export class Subject {
  readonly service: Child;
  readonly address: string;
  readonly store: FilledStore;
  readonly #lab: Lab;
  readonly #env: Readonly<Record<string, string>>;
  readonly #more: Child[] = [];

  private constructor(lab: Lab, store: FilledStore, env: Readonly<Record<string, string>>, service: Child) {
    this.#lab = lab;
    this.#env = env;
    this.store = store;
    this.service = service;
    this.address = `${service.host}:${service.port}`;
  }

  /** @param more further settings of the service */
  static async start(quick: boolean, more: Readonly<Record<string, string>> = {}): Promise<Subject> {
    const lab = await Lab.open({ only: undefined, rounds: 1, seconds: 1, quick, peer: false });
    const store = await lab.store('redis', lab.sizes.few);
    const keys = { ...lab.keys.ES256.env, ...lab.keys.HS256.env };
    const env = { ...keys, ...store.env, VERIFIED_TOKENS: '200000', ...more };
    return new Subject(lab, store, env, await startServe({ folder: lab.folder, env }));
  }

  /** Processor time that the store has used so far, ms. */
  get storeCpuMs(): number {
    return cpuMsOf(this.store.pid ?? 0);
  }

  /** Starts one more service on the same store. */
  async addService(): Promise<Child> {
    const service = await startServe({ folder: this.#lab.folder, env: this.#env });
    this.#more.push(service);
    return service;
  }

  /** Refresh tokens of as many sessions, under ES256's key. */
  refreshTokens(count: number): string[] {
    return this.#lab.fresh(count).map((session) => tokenOf('refresh', session, this.#lab.keys.ES256.keys));
  }

  /** Appends the ends of as many sessions to the logs. */
  appendEnds(count: number): Promise<void> {
    return appendEnds(this.store.port ?? 0, count, this.#lab.epoch);
  }

  /** Access tokens of as many sessions. */
  tokens(count: number, algorithm: Algorithm = 'ES256'): string[] {
    const { keys } = this.#lab.keys[algorithm];
    const { signingKid: kid } = keys;
    return this.#lab.fresh(count).map((session) => {
      const shared = { ...session, issuer: undefined, audience: [], claims: { role: 'user', pad: PAD } };
      return keys.sign('access', writeClaims('access', { ...shared, adoptedSession: false }, { ...session, kid }), kid);
    });
  }

  async validator(options: Partial<ValidatorOptions> = {}): Promise<Validator> {
    const validator = createValidator({ address: this.address, deadline: '20s', ...options });
    await validator.ready();
    return validator;
  }

  async stop(): Promise<void> {
    for (const service of [this.service, ...this.#more]) await service.stop();
    await this.#lab.close();
  }
}

/** Has a validator know all of some tokens, a part after the other. */
export async function learn(validator: Validator, tokens: readonly string[], part = 1_000): Promise<void> {
  for (let from = 0; from < tokens.length; from += part) {
    const results = await Promise.all(tokens.slice(from, from + part).map((token) => validator.validate(token)));
    if (!results.every(({ active }) => active)) throw new Error('a good token was not called active');
  }
}
