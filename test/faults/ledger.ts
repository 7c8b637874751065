// The accounts of a fault: requested and acknowledged logouts and refreshes, compared with the final state.

import type { TokenPair } from '../../proto/gen/auth/v1/token.js';
import { entriesIn, type FoundEntry } from '../e2e/entries.js';
import type { RunningNode } from '../e2e/stage.js';
import { claimsOf } from '../e2e/tokens.js';
import { CallFailed, verdictIn } from '../support/auth-client.js';
import type { Scene } from './fault-scene.js';

/** A call that writes, on a session of its own. */
export interface Attempt {
  readonly kind: 'logout' | 'refresh';
  readonly pair: TokenPair;
  /** Whether it was answered with OK. */
  acknowledged: boolean;
  /** The refresh token that the answer of a refresh held. */
  successor?: string;
}

/** What the accounts show after a fault. */
export interface Audit {
  /** How many calls have written, and were not answered with OK. */
  readonly unheard: number;
  /** What is not as it must be, in words. */
  readonly faults: readonly string[];
}

/** What a node says of an access token: `active`, the problem, or the status of a call that failed. */
export const verdictOf = (node: RunningNode, { accessToken }: TokenPair): Promise<string> =>
  node.client.verdict(accessToken).catch(codeOfFailure);

/** The same of several tokens, by one call. */
export async function verdictsOf(node: RunningNode, pairs: readonly TokenPair[]): Promise<readonly string[]> {
  try {
    const results = await node.client.validateMany(pairs.map(({ accessToken }) => accessToken));
    if (results.length !== pairs.length) throw new Error(`${results.length} answers about ${pairs.length} tokens`);
    return results.map(({ validation }) => (validation ? verdictIn(validation) : 'UNAVAILABLE'));
  } catch (error) {
    return [codeOfFailure(error)];
  }
}

/** The status of a failed call. */
export function codeOfFailure(error: unknown): string {
  if (error instanceof CallFailed) return error.failure.code;
  throw error;
}

/** Compares the attempts of one fault with the state after it. */
export class Ledger {
  readonly #attempts: Attempt[] = [];

  open(kind: Attempt['kind'], pair: TokenPair): Attempt {
    const attempt: Attempt = { kind, pair, acknowledged: false };
    this.#attempts.push(attempt);
    return attempt;
  }

  /** The sessions whose end was acknowledged so far. */
  get ended(): readonly TokenPair[] {
    return this.#attempts.filter(({ kind, acknowledged }) => kind === 'logout' && acknowledged).map(({ pair }) => pair);
  }

  /** Of a store that has all that it had. */
  async audit(scene: Scene): Promise<Audit> {
    // As it lies there, before anything is tried again.
    const { sessions } = await entriesIn(scene.redis);
    const texts = new Map(sessions.map(({ key, text }: FoundEntry) => [key.slice(key.lastIndexOf(':') + 1), text]));
    const found = await Promise.all(
      this.#attempts.map((attempt) => {
        const text = texts.get(attempt.pair.sessionId) ?? 'nothing';
        return attempt.kind === 'logout' ? faultsOfLogout(scene, attempt, text) : faultsOfRefresh(scene, attempt, text);
      }),
    );
    const unheard = this.#attempts.filter(
      ({ acknowledged, pair }) => !acknowledged && texts.has(pair.sessionId),
    ).length;
    return { unheard, faults: found.flat() };
  }

  /** For a store that restarted empty: no earlier session is active, whatever was acknowledged. */
  async auditLoss({ near, far }: Scene): Promise<Audit> {
    const verdicts = await Promise.all(
      this.#attempts.flatMap(({ pair }) => [near, far].map((node) => verdictOf(node, pair))),
    );
    const wrong = verdicts.filter((verdict) => verdict !== 'REVOKED');
    return { unheard: 0, faults: wrong.map((verdict) => `a session from before: ${verdict}`) };
  }
}

async function faultsOfLogout({ near, far }: Scene, attempt: Attempt, text: string): Promise<string[]> {
  const faults: string[] = [];
  const expect = (what: string, found: string, wanted: string): void => {
    if (found !== wanted) faults.push(`${what}: ${found}, not ${wanted}`);
  };
  if (attempt.acknowledged) expect('an acknowledged logout in Redis', text.replace(/^1 \d+ /, ''), 'ended logout');
  else {
    // It may have been made or not; the client asks again.
    const { refreshToken } = attempt.pair;
    expect('a logout, tried again', await near.client.logout({ refreshToken }).then(() => 'OK', codeOfFailure), 'OK');
  }
  for (const node of [near, far]) expect('after the logout', await verdictOf(node, attempt.pair), 'REVOKED');
  return faults;
}

async function faultsOfRefresh({ near, far }: Scene, attempt: Attempt, text: string): Promise<string[]> {
  const faults: string[] = [];
  const { acknowledged, pair, successor } = attempt;
  if (acknowledged && !/^1 \d+ live 1 /.test(text)) faults.push(`an acknowledged refresh in Redis: ${text}`);
  // Tried again, at both nodes at once, as by a client without an answer.
  const answers = await Promise.all(
    [near, far].map(({ client }) => client.refresh(pair.refreshToken).catch(codeOfFailure)),
  );
  const tokens = new Set(acknowledged ? [successor] : []);
  for (const answer of answers) {
    if (typeof answer === 'string') faults.push(`a refresh, tried again: ${answer}`);
    else {
      tokens.add(answer.refreshToken);
      const { gen } = claimsOf(answer.refreshToken);
      if (gen !== 1) faults.push(`the successor is of generation ${gen}`);
      const verdict = await verdictOf(far, answer);
      if (verdict !== 'active') faults.push(`the successor: ${verdict}`);
    }
  }
  if (tokens.size !== 1) faults.push(`${tokens.size} successors of one refresh token`);
  return faults;
}
