// What runs within a transaction: the compare-and-set with its entry in the log, and the beginning of the log.

import type { CompareAndSetResult, EntryUpdate } from '../../core/ports.js';
import type { StoreKey } from '../../core/session/store-keys.js';
import type { Database } from './database.js';
import { type CountedBirth, counted, encode, endTextOf, keyName, laterEnd, liveRecord, withCount } from './record.js';
import type { RevocationLog } from './revocation-log.js';

export type Outcome = CompareAndSetResult | 'late';

/** Times in Unix ms. */
interface Times {
  readonly now: () => number;
  /** The highest time that this process has seen. */
  readonly latestMs: () => number;
}

const BIRTH = keyName({ kind: 'birth', shard: 0 });

/** No other writer of this machine runs at the same time as a step. */
export class TransactionSteps {
  readonly #database: Database;
  readonly #log: RevocationLog;
  readonly #times: Times;

  constructor(database: Database, log: RevocationLog, times: Times) {
    this.#database = database;
    this.#log = log;
    this.#times = times;
  }

  compareAndSet(key: StoreKey, expected: string | undefined, next: EntryUpdate): Outcome {
    const nowMs = this.#times.now();
    if (nowMs > next.notAfterMs) return 'late';
    const name = keyName(key);
    const current = liveRecord(this.#database.get(name), nowMs);
    if (current?.text !== expected) return { applied: false, current: current?.text };
    const stampMs = Math.min(Math.max(nowMs, next.atLeastMs), next.atMostMs ?? Number.POSITIVE_INFINITY);
    const text = `1 ${stampMs} ${next.value}`;
    const endsAtMs = laterEnd(current, next.lifetimeMs === undefined ? undefined : nowMs + next.lifetimeMs);
    const birth = key.kind === 'birth' ? undefined : this.#birth(nowMs);
    const end = next.logged && key.kind !== 'birth' ? endTextOf(key) : undefined;
    const isAnew = birth !== undefined && !birth.isMarked;
    const entry = end?.startsWith('u') ? `${end} ${stampMs}` : end;
    if (entry !== undefined || isAnew) this.#append(entry, nowMs, next.logged?.presentedMs ?? 0, isAnew);
    this.#database.put(name, encode({ text, endsAtMs }));
    if (!birth) return { applied: true, current: text };
    const writes = birth.writes + 1;
    this.#database.put(BIRTH, encode(withCount(birth, writes)));
    return { applied: true, current: text, writes };
  }

  /** Begins the log if it is missing, or if the count in the birth record is not marked. */
  beginLog(): Outcome {
    const nowMs = this.#times.now();
    const birth = this.#birth(nowMs);
    const isAnew = birth !== undefined && !birth.isMarked;
    const applied = isAnew || !this.#log.exists;
    if (applied) this.#append(undefined, nowMs, 0, isAnew);
    if (birth && isAnew) this.#database.put(BIRTH, encode(withCount(birth, birth.writes)));
    return { applied, current: undefined };
  }

  #birth(nowMs: number): CountedBirth | undefined {
    return counted(liveRecord(this.#database.get(BIRTH), nowMs));
  }

  #append(text: string | undefined, nowMs: number, presentedMs: number, isAnew: boolean): void {
    const latestMs = Math.max(this.#times.latestMs(), presentedMs);
    this.#log.append({ nowMs, latestMs, text, isAnew });
  }
}
