// Owns the removal of what has expired, and the time it goes by: one that a wrong clock cannot push ahead.
//
// An entry that is removed too soon revives what it denied. When the machine's clock is far ahead for a while, before it
// is set right, every entry looks expired. So the sweep has a time of its own, the horizon: it never is above the clock,
// and moves on by no more than 25/24 of what a steady clock says has passed. It is kept in the database; while nothing
// runs, it stands. The 24th part lets it catch up with the clock after a pause. A clock that is wrong for a day, by
// however much, thus costs an entry an hour at most, which is the slack that the core puts to each lifetime.

import { setTimeout as sleep } from 'node:timers/promises';
import { committed, type Database } from './database.js';
import { canExpire, decode } from './record.js';

type LogWrite = (fields: Readonly<Record<string, unknown>>, message: string) => void;

/** As much of a logger as the adapter uses. */
export interface Log {
  readonly info: LogWrite;
  readonly error: LogWrite;
}

export interface Clocks {
  /** The machine's clock, Unix ms. */
  readonly now: () => number;
  /** A clock that is never set, ms. */
  readonly monotonicMs: () => number;
}

const HORIZON = 'horizon';
const PACE = 25 / 24;
const KEEP_FAILED = 'the horizon of the sweep could not be written';
/** So many entries are looked at in one turn, so that calls get theirs in between. */
const BATCH = 500;
/** After each turn. Without it, a sweep of a large store has every turn for seconds, and all calls take as long. */
const PAUSE_MS = 5;

export class Sweeper {
  readonly #database: Database;
  readonly #clocks: Clocks;
  readonly #log: Log;
  readonly #timer: NodeJS.Timeout;
  #horizonMs: number;
  #movedAtMs: number;
  #running: Promise<number> | undefined;
  #stopped = false;

  /** @param everyMs how often to sweep, ms */
  constructor(database: Database, clocks: Clocks, everyMs: number, log: Log) {
    this.#database = database;
    this.#clocks = clocks;
    this.#log = log;
    const stored = Number(database.get(HORIZON) ?? Number.NaN);
    this.#horizonMs = Number.isFinite(stored) ? Math.min(stored, clocks.now()) : clocks.now();
    this.#movedAtMs = clocks.monotonicMs();
    this.#timer = setInterval(() => {
      this.sweep().catch((err: unknown) => log.error({ err }, 'the sweep of expired entries failed'));
    }, everyMs);
    this.#timer.unref();
  }

  /** Removes what had expired at the horizon. Returns how many entries that were. */
  sweep(): Promise<number> {
    this.#running ??= this.#sweepAll().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** Stops, and waits for a sweep that is under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#running?.catch(() => {});
    // Without it the horizon is only further behind.
    await this.#keep(this.#move()).catch((err: unknown) => this.#log.error({ err }, KEEP_FAILED));
  }

  async #keep(horizonMs: number): Promise<void> {
    await committed(this.#database.put(HORIZON, `${horizonMs}`));
  }

  #move(): number {
    const monotonicMs = this.#clocks.monotonicMs();
    const passedMs = Math.max(0, monotonicMs - this.#movedAtMs);
    this.#movedAtMs = monotonicMs;
    this.#horizonMs = Math.min(this.#clocks.now(), Math.floor(this.#horizonMs + passedMs * PACE));
    return this.#horizonMs;
  }

  async #sweepAll(): Promise<number> {
    const horizonMs = this.#move();
    await this.#keep(horizonMs);
    let removed = 0;
    const names: string[] = [];
    let after = '';
    for (let more = true; more && !this.#stopped; ) {
      const batch = [...this.#database.getRange({ start: after, exclusiveStart: true, limit: BATCH })];
      names.push(...batch.filter(({ key, value }) => expired(key, value, horizonMs)).map(({ key }) => key));
      more = batch.length === BATCH;
      after = batch.at(-1)?.key ?? after;
      // Where few have expired, those of many turns are removed together: most of the cost is the commit's.
      const enough = more ? BATCH : 1;
      while (names.length >= enough) removed += await this.#remove(names.splice(0, BATCH), horizonMs);
      await sleep(PAUSE_MS);
    }
    if (removed > 0) this.#log.info({ removed }, 'removed expired entries');
    return removed;
  }

  async #remove(names: readonly string[], horizonMs: number): Promise<number> {
    const removal = this.#database.transaction(() => {
      // Looked at again: one may have been written anew since.
      const still = names.filter((name) => expired(name, this.#database.get(name), horizonMs));
      for (const name of still) this.#database.remove(name);
      return still.length;
    });
    return committed(removal);
  }
}

/** What cannot be read is left where it is. */
function expired(name: string, raw: string | undefined, horizonMs: number): boolean {
  if (raw === undefined || !canExpire(name)) return false;
  try {
    const { endsAtMs } = decode(raw);
    return endsAtMs !== undefined && endsAtMs <= horizonMs;
  } catch {
    return false;
  }
}
