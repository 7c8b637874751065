// A process with validators, each with a few hot tokens, which it validates at a steady rate.

import { createValidator } from '../../src/validator/create-validator.js';
import type { Validator, ValidatorOptions } from '../../src/validator/index.js';
import { machineMs } from './log-out.js';

/** What the parent hands over. */
export interface HotWork {
  readonly address: string;
  /** The tokens of each validator. */
  readonly tokens: readonly (readonly string[])[];
  /** Requests a second, of each validator. */
  readonly perS: number;
  readonly source?: ValidatorOptions['source'];
  /** Tokens that will be logged out meanwhile. The first validator looks at them all the time. */
  readonly ending?: readonly string[];
}

export interface HotReport {
  readonly requests: number;
  /** Requests that the validator could not answer at once. */
  readonly waited: number;
  /** Of these, the ones without an answer. */
  readonly failed: number;
  readonly asks: number;
  readonly calls: number;
  /** When each of the tokens that ended was known to have ended, by the machine's monotonic clock, ms; undefined: it was not. */
  readonly endedMs: readonly (number | undefined)[];
}

/** Long, because a hundred processes that wake more often keep a core busy with their waking alone. */
const TICK_MS = 100;
const LOOK_EVERY_MS = 5;
const counts = { requests: 0, waited: 0, failed: 0 };

/** Validates some tokens in turn. */
function load(validator: Validator, tokens: readonly string[], perTick: number): () => void {
  let next = 0;
  return () => {
    for (let n = 0; n < perTick; n++) {
      const token = Buffer.from(tokens[next++ % tokens.length] ?? '').toString('latin1');
      counts.requests++;
      if (validator.validateNow(token)?.active) continue;
      counts.waited++;
      validator.validate(token).catch(() => counts.failed++);
    }
  };
}

/** Looks at tokens all the time, as a process does that gets requests with them. @returns when each had ended */
function watch(validator: Validator, tokens: readonly string[]): (number | undefined)[] {
  const endedMs: (number | undefined)[] = tokens.map(() => undefined);
  const look = async (token: string, index: number): Promise<void> => {
    const { active } = validator.validateNow(token) ?? (await validator.validate(token));
    if (!active) endedMs[index] ??= machineMs();
  };
  setInterval(() => {
    for (const [index, token] of tokens.entries()) if (endedMs[index] === undefined) look(token, index).catch(() => {});
  }, LOOK_EVERY_MS);
  return endedMs;
}

async function work({ address, tokens, perS, source = 'answers', ending = [] }: HotWork): Promise<void> {
  const validators = tokens.map(() => createValidator({ address, source, maxStaleness: '2s', deadline: '20s' }));
  await Promise.all(validators.map((validator) => validator.ready('60s')));
  // What a process costs that has just started is not what it costs while it runs.
  await Promise.all(validators.flatMap((validator, n) => (tokens[n] ?? []).map((token) => validator.validate(token))));
  const [first] = validators;
  const endedMs = first ? watch(first, ending) : [];
  const total = (of: 'asks' | 'calls'): number => validators.reduce((sum, each) => sum + each.state()[of], 0);
  let from = { asks: 0, calls: 0 };
  const loads = validators.map((validator, n) => load(validator, tokens[n] ?? [], (perS * TICK_MS) / 1000));
  process.on('message', (message) => {
    if (message === 'begin') {
      // Not all processes at once: a service is not asked in one moment by all its callers.
      for (const each of loads) setTimeout(() => setInterval(each, TICK_MS), Math.random() * TICK_MS);
    } else if (message === 'count') {
      Object.assign(counts, { requests: 0, waited: 0, failed: 0 });
      from = { asks: total('asks'), calls: total('calls') };
    } else if (message === 'end') {
      const asked = { asks: total('asks') - from.asks, calls: total('calls') - from.calls };
      const report: HotReport = { ...counts, ...asked, endedMs };
      process.send?.(report);
    }
  });
  process.send?.('ready');
}

process.once('message', (message) => void work(message as HotWork));
// The bench has ended, in whatever way: its timers would keep this process.
process.once('disconnect', () => process.exit());
