// What the bench of the validator runs against: a service on a core of its own, Redis, and tokens of fresh sessions.

import { writeClaims } from '../../src/core/token/claims.js';
import { createValidator } from '../../src/validator/create-validator.js';
import type { Validator, ValidatorOptions } from '../../src/validator/index.js';
import type { Child } from '../servers/child.js';
import { startServe } from '../servers/latchkey.js';
import type { Algorithm } from '../speed/keys.js';
import { Lab } from '../speed/lab.js';

/** A claim that brings a token under HS256 to 700 characters. */
const PAD = 'x'.repeat(223);

export class Subject {
  readonly service: Child;
  readonly address: string;
  readonly #lab: Lab;

  private constructor(lab: Lab, service: Child) {
    this.#lab = lab;
    this.service = service;
    this.address = `${service.host}:${service.port}`;
  }

  static async start(quick: boolean): Promise<Subject> {
    const lab = await Lab.open({ only: undefined, rounds: 1, seconds: 1, quick, peer: false });
    const store = await lab.store('redis', lab.sizes.few);
    const env = { ...lab.keys.ES256.env, ...lab.keys.HS256.env, ...store.env, VERIFIED_TOKENS: '200000' };
    return new Subject(lab, await startServe({ folder: lab.folder, env }));
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
    await this.service.stop();
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
