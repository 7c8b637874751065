// The metrics of calls: their durations, the results of validations, the outcomes of refreshes.

import { status } from '@grpc/grpc-js';
import type { StoreUnavailable } from '../core/errors.js';
import type { AuditEvent } from '../core/events/audit.js';
import type { Call } from '../core/ports.js';
import { type TokenProblem, TokenRefused } from '../core/token/errors.js';
import type { SessionId } from '../core/token/session-id.js';
import type { Counter, CounterBy, Histogram, HistogramByTwo, Meter } from '../platform/metrics/meter.js';

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
interface Validated {
  readonly active?: boolean;
  readonly problem?: TokenProblem;
  /** Why it could not be decided. */
  readonly unavailable?: StoreUnavailable;
  /** An error that no code foresaw; it is not counted here. */
  readonly unexpected?: unknown;
}

/** The codes that alerts are about. */
const ALERTED: readonly status[] = [status.UNAUTHENTICATED, status.INTERNAL, status.UNAVAILABLE];

/** The durations of one method by code. Looked up by the number of the code: it is done for every call. */
export class MethodDurations {
  readonly #byCode: (Histogram | undefined)[] = [];
  readonly #of: (code: string) => Histogram;

  /** Some series are there from the start: to Prometheus a series that begins at 1 has not increased. */
  constructor(of: (code: string) => Histogram) {
    this.#of = of;
    for (const code of ALERTED) this.#byCode[code] = of(CODES[code] ?? '');
  }

  /** @param startMs by the process's monotonic clock */
  ended(code: status, startMs: number): void {
    const histogram = this.#byCode[code] ?? this.#of(CODES[code] ?? '');
    this.#byCode[code] = histogram;
    histogram.observe((performance.now() - startMs) / 1000);
  }
}

export class CallMetrics {
  readonly #durations: HistogramByTwo<string, string>;
  readonly #byMethod = new Map<string, MethodDurations>();
  readonly #active: Counter;
  readonly #cannotTell: Counter;
  readonly #problems: ReadonlyMap<TokenProblem, Counter>;
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
    const validations = meter.counterBy(
      {
        name: 'latchkey_validations_total',
        help: 'Tokens that were validated or introspected, each of a batch by itself',
      },
      { name: 'result', values: RESULTS },
    );
    this.#active = validations.of('active');
    this.#cannotTell = validations.of('cannot_tell');
    const problems = Object.entries(PROBLEMS) as [TokenProblem, Lowercase<TokenProblem>][];
    this.#problems = new Map(problems.map(([problem, result]) => [problem, validations.of(result)]));
    this.#refreshes = meter.counterBy(
      { name: 'latchkey_refreshes_total', help: 'Refresh tokens that were presented, and decided on' },
      { name: 'outcome', values: ALL_OUTCOMES },
    );
  }

  /** @param method one of those that are counted */
  durationsOf(method: string): MethodDurations {
    const known = this.#byMethod.get(method);
    if (known) return known;
    const durations = new MethodDurations((code) => this.#durations.of(method, code));
    this.#byMethod.set(method, durations);
    return durations;
  }

  validated(validation: Validated): void {
    if (validation.active) this.#active.add();
    else if (validation.problem) this.#problems.get(validation.problem)?.add();
    else if (validation.unavailable) this.#cannotTell.add();
  }

  /**
   * Runs a refresh, and counts its outcome: what it audits, or a refusal. Counts nothing if it could not be decided.
   */
  async refreshed<Result>(call: Call, refresh: (call: Call) => Promise<Result>): Promise<Result> {
    const counted = new CountedRefresh(call, this.#refreshes);
    try {
      return await refresh(counted);
    } catch (error) {
      if (error instanceof TokenRefused) counted.count('refused');
      throw error;
    }
  }
}

/** The call of a refresh, whose first outcome is counted. A class, because an object with a getter is slow to make. */
class CountedRefresh implements Call {
  readonly #call: Call;
  readonly #refreshes: CounterBy<RefreshOutcome>;
  #isCounted = false;

  constructor(call: Call, refreshes: CounterBy<RefreshOutcome>) {
    this.#call = call;
    this.#refreshes = refreshes;
  }

  get budgetMs(): number {
    return this.#call.budgetMs;
  }

  setSessionId(sessionId: SessionId): void {
    this.#call.setSessionId(sessionId);
  }

  audit(event: AuditEvent): void {
    this.count(OUTCOMES[event.event]);
    this.#call.audit(event);
  }

  count(outcome: RefreshOutcome | undefined): void {
    if (outcome === undefined || this.#isCounted) return;
    this.#isCounted = true;
    this.#refreshes.of(outcome).add();
  }
}
