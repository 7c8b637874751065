// The recorder of calls: it makes each call, times it, and records its answer as the history does.

import { createHash } from 'node:crypto';
import type { LogoutRequest } from '../../proto/gen/auth/v1/auth_service.js';
import type { TokenPair } from '../../proto/gen/auth/v1/token.js';
import { claimsOf } from '../e2e/tokens.js';
import { CallFailed } from '../support/auth-client.js';
import type { ChaosNode } from './node.js';
import type { CallKind, CallRecord, Outcome, PairFacts } from './record.js';

/** A pair that a client holds: the tokens, and what a history may say of them. */
export interface Held {
  readonly pair: TokenPair;
  readonly subject: string;
  readonly sid: string;
  readonly gen: number;
}

/** What a call is about, in the history's terms. */
type About = Pick<CallRecord, 'subject' | 'sid' | 'gen' | 'exp'>;

const ACTIVE: Outcome = { is: 'active' };
const DONE: Outcome = { is: 'done' };

export class Recorder {
  readonly calls: CallRecord[] = [];
  readonly #nodes: readonly ChaosNode[];

  constructor(nodes: readonly ChaosNode[]) {
    this.#nodes = nodes;
  }

  /** @returns the new session's first pair, if the answer came */
  async issue(node: number, subject: string, deadlineMs: number): Promise<Held | undefined> {
    const { pair } = await this.#pair('issue', node, deadlineMs, { subject }, ({ client }) => client.issue(subject));
    return pair && held(pair, subject);
  }

  /** @returns the next pair, if the answer came, and the outcome */
  async refresh(node: number, { pair, ...of }: Held, deadlineMs: number): Promise<{ next?: Held; outcome: Outcome }> {
    const about = { ...of, exp: pair.refreshExpiresAt };
    const answer = await this.#pair('refresh', node, deadlineMs, about, ({ client }) =>
      client.refresh(pair.refreshToken),
    );
    return { outcome: answer.outcome, ...(answer.pair ? { next: held(answer.pair, of.subject) } : {}) };
  }

  /** @param among whether it is asked about together with another token */
  validate(node: number, { pair, ...of }: Held, deadlineMs: number, among: boolean): Promise<Outcome> {
    return this.#make('validate', node, deadlineMs, { ...of, exp: pair.accessExpiresAt }, async ({ client }) => {
      const { accessToken } = pair;
      const problem = await (among ? client.verdictAmong(accessToken) : client.verdict(accessToken));
      if (problem === undefined) return { is: 'unknown', code: 'UNAVAILABLE' };
      return problem === 'active' ? ACTIVE : { is: 'refused', problem };
    });
  }

  /** Ends the session of a pair, or with `everywhere` all of its subject. */
  logout(node: number, of: Held, by: 'access' | 'refresh' | 'both', everywhere: boolean, deadlineMs: number) {
    const { pair, subject, sid, gen } = of;
    const request: LogoutRequest = {
      accessToken: by === 'refresh' ? '' : pair.accessToken,
      refreshToken: by === 'access' ? '' : pair.refreshToken,
      allSessions: everywhere,
    };
    const exp = by === 'access' ? pair.accessExpiresAt : pair.refreshExpiresAt;
    return this.#make(
      everywhere ? 'everywhere' : 'logout',
      node,
      deadlineMs,
      { subject, sid, gen, exp },
      async ({ client }) => {
        await client.logout(request);
        return DONE;
      },
    );
  }

  revoke(node: number, subject: string, deadlineMs: number): Promise<Outcome> {
    return this.#make('revoke', node, deadlineMs, { subject }, async ({ client }) => {
      await client.revokeSubject(subject);
      return DONE;
    });
  }

  async #pair(
    kind: CallKind,
    node: number,
    deadlineMs: number,
    about: About,
    call: (node: ChaosNode) => Promise<TokenPair>,
  ): Promise<{ pair?: TokenPair; outcome: Outcome }> {
    let pair: TokenPair | undefined;
    const outcome = await this.#make(kind, node, deadlineMs, about, async (at): Promise<Outcome> => {
      pair = await call(at);
      return { is: 'granted', pair: factsOf(pair) };
    });
    return { outcome, ...(pair ? { pair } : {}) };
  }

  async #make(
    kind: CallKind,
    node: number,
    deadlineMs: number,
    { subject, sid, gen, exp }: About,
    call: (node: ChaosNode) => Promise<Outcome>,
  ): Promise<Outcome> {
    const at = this.#nodes[node];
    if (!at) throw new RangeError(`there is no node ${node}`);
    const about = { subject, ...(sid === undefined ? {} : { sid }), ...(gen === undefined ? {} : { gen }) };
    // It counts for the call that begins now, in this turn.
    at.client.deadlineMs = deadlineMs;
    const fromMs = performance.now();
    const outcome = await call(at).catch(outcomeOf);
    const toMs = performance.now();
    this.calls.push({ kind, node, deadlineMs, fromMs, toMs, ...about, ...(exp === undefined ? {} : { exp }), outcome });
    return outcome;
  }
}

/** What a failure says: a definite no has a reason; everything that may pass is "unknown". */
function outcomeOf(error: unknown): Outcome {
  if (!(error instanceof CallFailed)) throw error;
  const { code, reason, cause } = error.failure;
  if (['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'CANCELLED', 'RESOURCE_EXHAUSTED'].includes(code))
    return { is: 'unknown', code };
  return { is: 'refused', problem: reason ?? code, ...(cause === undefined ? {} : { cause }) };
}

function held(pair: TokenPair, subject: string): Held {
  const { sid, gen } = claimsOf(pair.refreshToken) as { sid: string; gen: number };
  return { pair, subject, sid, gen };
}

function factsOf(pair: TokenPair): PairFacts {
  const [access, refresh] = [claimsOf(pair.accessToken), claimsOf(pair.refreshToken)];
  const parts = [access, refresh].map(({ jti, gen, iat, exp }) => `${jti} ${gen} ${iat} ${exp}`);
  return {
    sid: String(refresh['sid']),
    gen: Number(refresh['gen']),
    claims: [...parts, pair.accessExpiresAt, pair.refreshExpiresAt].join(' '),
    refreshHash: createHash('sha256').update(pair.refreshToken).digest('hex').slice(0, 16),
  };
}
