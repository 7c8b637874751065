// The removal of expired entries, by a time that a wrong clock cannot push ahead.
//
// If an entry is removed too early, the token that it denied becomes valid again. While the machine's clock is far
// ahead, every entry looks expired. So the sweep uses a time of its own, the horizon. It is never ahead of the clock,
// and advances by at most 25/24 of the time that a monotonic clock measures. The database stores it; it does not
// advance while no process runs. The extra 24th lets it catch up with the clock after a pause. So a clock that is wrong
// for a day, by any amount, shortens an entry's life by at most an hour, and the core adds an hour to each lifetime.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../platform/logger.js';
import { committed, type Database } from './database.js';
import { canExpire, decode } from './record.js';

export interface Clocks {
  /** The machine's clock, Unix ms. */
  readonly now: () => number;
  /** A monotonic clock, ms. */
  readonly monotonicMs: () => number;
}

const HORIZON = 'horizon';
const PACE = 25 / 24;
const KEEP_FAILED = 'the horizon of the sweep could not be written';
/** The number of entries that one turn of the event loop examines, so that calls run in between. */
const BATCH = 500;
/** The pause after each turn. Without it, the sweep of a large store would delay all calls for seconds. */
const PAUSE_MS = 5;

export class Sweeper {
  readonly #database: Database;
  readonly #clocks: Clocks;
  readonly #log: Pick<Logger, 'info' | 'error'>;
  readonly #timer: NodeJS.Timeout;
  #horizonMs: number;
  #movedAtMs: number;
  #running: Promise<number> | undefined;
  #stopped = false;

  /** @param everyMs how often to sweep, ms */
  constructor(database: Database, clocks: Clocks, everyMs: number, log: Pick<Logger, 'info' | 'error'>) {
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

  /** Removes the entries that had expired at the horizon. @returns how many */
  sweep(): Promise<number> {
    this.#running ??= this.#sweepAll().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** Stops, and waits for a sweep under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#running?.catch(() => {});
    // If this fails, the horizon is only further behind.
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
      // If few entries have expired, those of many turns are removed together, because a commit is the main cost.
      const enough = more ? BATCH : 1;
      while (names.length >= enough) removed += await this.#remove(names.splice(0, BATCH), horizonMs);
      await sleep(PAUSE_MS);
    }
    if (removed > 0) this.#log.info({ removed }, 'removed expired entries');
    return removed;
  }

  async #remove(names: readonly string[], horizonMs: number): Promise<number> {
    const removal = this.#database.transaction(() => {
      // A second check, because an entry may have been rewritten meanwhile.
      const still = names.filter((name) => expired(name, this.#database.get(name), horizonMs));
      for (const name of still) this.#database.remove(name);
      return still.length;
    });
    return committed(removal);
  }
}

/** An unreadable entry does not count as expired. */
function expired(name: string, raw: string | undefined, horizonMs: number): boolean {
  if (raw === undefined || !canExpire(name)) return false;
  try {
    const { endsAtMs } = decode(raw);
    return endsAtMs !== undefined && endsAtMs <= horizonMs;
  } catch {
    return false;
  }
}
