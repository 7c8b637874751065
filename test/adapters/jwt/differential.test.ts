// The differential fuzz of the codec: tokens grown and mutated at random, judged by us and by jose with one policy.

import { randomInt } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { JwtKeys } from '../../../src/adapters/jwt/jwt-keys.js';
import type { Context } from '../../../src/core/context.js';
import { InvalidInput } from '../../../src/core/errors.js';
import { TokenRefused } from '../../../src/core/token/errors.js';
import { timing } from '../../../src/core/token/token.js';
import { authenticate } from '../../../src/core/use-cases/authenticate.js';
import { cases } from '../../support/soak.js';
import { POLICY } from '../../support/world.js';
import { type Kind, NOW_S, PARTIES } from './differential-claims.js';
import { oracle, STRICTER } from './differential-oracle.js';
import { es256, hs256, rs256, cases as tokens } from './differential-tokens.js';

/** How many tokens are tried at least; FUZZ_CASES sets another number, SEED repeats a run. */
const CASES = cases('FUZZ_CASES', { short: 1_500, soak: 100_000 });
/** The most rounds of CASES tokens. Rounds are added until each problem and each listed difference has occurred. */
const MOST_ROUNDS = 10;
const SEED = Number(process.env['SEED'] ?? randomInt(2 ** 31));
/** No single token may hold the process up for longer than this, ms. */
const MOST_MS = 5;
/** A busy machine delays some tries, but not all: the shortest of these tries counts. */
const TRIES = 5;

// Sessions without end: what the settings bound is not what is compared.
const LIFETIMES = { accessTtlMs: 1e14, refreshTtlMs: 1e14, sessionMaxMs: 1e14 };
const policy = { ...POLICY, ...PARTIES, ...LIFETIMES };
const keys = new JwtKeys(es256, [rs256, hs256]);
const crypto = { randomBytes: () => new Uint8Array(10), sha256: () => new Uint8Array(32) };
// It has no store: the check of a token's authenticity does not use one.
const context = { keys, policy, crypto } as unknown as Context;
const call = { budgetMs: 1_000, setSessionId: () => {}, audit: () => {} };

/** Our verdict: `good`, the problem, or the fault of the input. */
async function ours(token: string, kind: Kind): Promise<string> {
  try {
    return timing(await authenticate(context, call, kind, token), policy, NOW_S * 1000) ?? 'good';
  } catch (error) {
    if (error instanceof TokenRefused) return error.problem;
    if (error instanceof InvalidInput) return 'INVALID_INPUT';
    throw error;
  }
}

/** The verdict and how long it took, ms; where it took too long, the least time of a few more tries. */
async function timed(token: string, kind: Kind): Promise<readonly [verdict: string, leastMs: number]> {
  let verdict = '';
  let leastMs = Number.POSITIVE_INFINITY;
  for (let n = 0; n < TRIES && leastMs > MOST_MS; n++) {
    const beganMs = performance.now();
    verdict = await ours(token, kind);
    leastMs = Math.min(leastMs, performance.now() - beganMs);
  }
  return [verdict, leastMs];
}

const count = (counts: Map<string, number>, name: string): void => void counts.set(name, (counts.get(name) ?? 0) + 1);

describe('our codec and jose', function () {
  this.timeout(3_600_000);

  it(`agree on every token, but for what is listed (${CASES} tokens, seed ${SEED})`, async () => {
    const seen = new Map<string, number>();
    const differences = new Map<string, number>();
    let mostMs = 0;
    const property = fc.asyncProperty(tokens, async ([token, kind]) => {
      const [verdict, leastMs] = await timed(token, kind);
      mostMs = Math.max(mostMs, leastMs);
      if (leastMs > MOST_MS) throw new Error(`it takes ${leastMs} ms, in the best of ${TRIES} tries`);
      count(seen, verdict);
      const theirs = await oracle(token, kind);
      if ((verdict === 'good') === (theirs === 'good')) return;
      const reason = theirs === 'good' ? STRICTER.find(({ holds }) => holds(token, kind)) : undefined;
      if (!reason) throw new Error(`we say ${verdict}, jose says ${theirs}`);
      count(differences, reason.why);
    });
    // Awake: every problem that a token alone can have is met, and so are the good one and every listed difference.
    const problems = ['good', 'MALFORMED', 'BAD_SIGNATURE', 'UNKNOWN_KEY', 'WRONG_TYPE', 'MISSING_CLAIM', 'EXPIRED'];
    const others = ['NOT_YET_VALID', 'WRONG_ISSUER', 'WRONG_AUDIENCE', 'INVALID_INPUT'];
    const verdicts = [...problems, ...others];
    const reasons = STRICTER.map(({ why }) => why);
    const isAwake = () => seen.size >= verdicts.length && differences.size >= reasons.length;
    for (let round = 0; round === 0 || (round < MOST_ROUNDS && !isAwake()); round++) {
      await fc.assert(property, { numRuns: CASES, seed: (SEED + round) % 2 ** 31 });
    }
    if (process.env['FUZZ_CASES'] !== undefined) {
      const counts = { verdicts: Object.fromEntries(seen), differences: Object.fromEntries(differences) };
      process.stdout.write(`${JSON.stringify({ cases: CASES, seed: SEED, mostMs, ...counts }, undefined, 2)}\n`);
    }
    expect([...seen.keys()]).to.have.members(verdicts);
    expect([...differences.keys()]).to.have.members(reasons);
  });
});
