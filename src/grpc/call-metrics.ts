// What is counted of calls: their durations, the results of validations, the outcomes of refreshes.

import { status } from '@grpc/grpc-js';
import { StoreUnavailable } from '../core/errors.js';
import type { AuditEvent } from '../core/events/audit.js';
import type { Call } from '../core/ports.js';
import { type TokenProblem, TokenRefused } from '../core/token/errors.js';
import type { CounterBy, HistogramByTwo, Meter } from '../platform/metrics/meter.js';

/** The result of one validation. */
export type ValidationResult = 'active' | Lowercase<TokenProblem> | 'cannot_tell';
type RefreshOutcome = 'rotated' | 'replayed' | 'reused' | 'duplicate' | 'healed' | 'lost' | 'refused';

/** The compiler keeps this list complete. */
const PROBLEMS: Readonly<Record<TokenProblem, Lowercase<TokenProblem>>> = {
  MALFORMED: 'malformed',
  BAD_SIGNATURE: 'bad_signature',
  UNKNOWN_KEY: 'unknown_key',
  WRONG_TYPE: 'wrong_type',
  MISSING_CLAIM: 'missing_claim',
  EXPIRED: 'expired',
  NOT_YET_VALID: 'not_yet_valid',
  WRONG_ISSUER: 'wrong_issuer',
  WRONG_AUDIENCE: 'wrong_audience',
  REVOKED: 'revoked',
  REUSED: 'reused',
};
const RESULTS: readonly ValidationResult[] = ['active', ...Object.values(PROBLEMS), 'cannot_tell'];

/** The outcome that an event of a refresh is. */
const OUTCOMES: Readonly<Partial<Record<AuditEvent['event'], RefreshOutcome>>> = {
  session_refreshed: 'rotated',
  session_replayed: 'replayed',
  session_reused: 'reused',
  session_duplicate: 'duplicate',
  session_healed: 'healed',
  session_lost: 'lost',
};
const ALL_OUTCOMES = [...Object.values(OUTCOMES), 'refused'] as const;

/** The names of the status codes, by their numbers. */
const CODES: readonly string[] = Array.from({ length: status.UNAUTHENTICATED + 1 }, (_, code) => status[code] ?? '');

/** A validation as its caller knows it. */
type Validated = { readonly active: true } | { readonly active: false; readonly problem: TokenProblem } | object;

export class CallMetrics {
  readonly #durations: HistogramByTwo<string, string>;
  readonly #validations: CounterBy<ValidationResult>;
  readonly #refreshes: CounterBy<RefreshOutcome>;

  /** @param methods the names of all methods that are counted */
  constructor(meter: Meter, methods: readonly string[]) {
    this.#durations = meter.histogramByTwo(
      { name: 'latchkey_rpc_duration_seconds', help: 'Time from the message of a call to its response' },
      [
        { name: 'method', values: methods },
        { name: 'code', values: CODES },
      ],
    );
    this.#validations = meter.counterBy(
      {
        name: 'latchkey_validations_total',
        help: 'Tokens that were validated or introspected, each of a batch by itself',
      },
      { name: 'result', values: RESULTS },
    );
    this.#refreshes = meter.counterBy(
      { name: 'latchkey_refreshes_total', help: 'Refresh tokens that were presented, and decided on' },
      { name: 'outcome', values: ALL_OUTCOMES },
    );
  }

  /** @param startMs by the process's monotonic clock */
  ended(method: string, code: status, startMs: number): void {
    this.#durations.observe(method, CODES[code] ?? '', (performance.now() - startMs) / 1000);
  }

  /** @param validation the result, or what it threw */
  validated(validation: Validated): void {
    if ('active' in validation) {
      this.#validations.add('problem' in validation ? PROBLEMS[validation.problem] : 'active');
    } else if (validation instanceof StoreUnavailable || 'unavailable' in validation) {
      this.#validations.add('cannot_tell');
    }
  }

  /** Runs a refresh, and counts its outcome: what it audits, or a refusal. Counts nothing if it could not be decided. */
  async refreshed<Result>(call: Call, refresh: (call: Call) => Promise<Result>): Promise<Result> {
    let isCounted = false;
    const count = (outcome: RefreshOutcome | undefined): void => {
      if (outcome === undefined || isCounted) return;
      isCounted = true;
      this.#refreshes.add(outcome);
    };
    try {
      return await refresh({
        get budgetMs() {
          return call.budgetMs;
        },
        setSessionId: (sessionId) => call.setSessionId(sessionId),
        audit: (event) => {
          count(OUTCOMES[event.event]);
          call.audit(event);
        },
      });
    } catch (error) {
      if (error instanceof TokenRefused) count('refused');
      throw error;
    }
  }
}
