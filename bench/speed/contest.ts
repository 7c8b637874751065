// A contest: servers that take the same load in turn, A B A B, so that what else the machine does hits all alike.

import { cpuMsOf, cpuMsOfAll } from '../machine/usage.js';

/** What a run was, as the one who made the load saw it. */
export interface Ran {
  readonly calls: number;
  /** Calls with another answer than the expected one, or none. */
  readonly wrong: number;
  /** Of the wrong ones, those that were refused as too many. */
  readonly refused: number;
  readonly tookMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface Contender {
  readonly name: string;
  /** The processes under test. */
  readonly pids: () => readonly number[];
  /** All others of the bench: what is neither theirs is of other programs. */
  readonly helpers: () => readonly number[];
  /** How many tokens a call holds; figures are of tokens. Default 1. */
  readonly tokensACall?: number;
  /** Makes ready what the next run, of that many ms, uses up; not measured. */
  readonly ready?: (ms: number) => Promise<void>;
  readonly run: (ms: number) => Promise<Ran>;
  /** What the servers complained of lately. */
  readonly complaints: () => readonly string[];
}

export interface Figures {
  /** How many calls they are of; of batches, how many tokens. */
  readonly count: number;
  readonly callsPerS: number;
  /** Processor time of the processes under test, user and system, for a call, µs. */
  readonly cpuUs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** The share of one core that other programs of this machine took. */
  readonly othersCpu: number;
}

/** A run in which an answer was not the expected one has no figures. */
export class WrongAnswers extends Error {
  constructor({ name, complaints }: Contender, { wrong, refused, calls }: Ran) {
    const some = `${wrong} of ${calls} answers were not the expected one, ${refused} of them refusals of too many calls`;
    super([`${name}: ${some}`, ...complaints()].join('\n'));
  }
}

export interface Rounds {
  readonly rounds: number;
  /** Of one run. */
  readonly ms: number;
  /** Of the runs before the rounds, and how many tokens each contender must have seen in them: compilers need it, and
   * whatever is remembered must be known. */
  readonly warmMs: number;
  readonly warmTokens: number;
}

const totalOf = (pids: readonly number[]): number => pids.reduce((sum, pid) => sum + cpuMsOf(pid), 0);

/** @throws WrongAnswers */
async function measure(contender: Contender, ms: number): Promise<Figures> {
  await contender.ready?.(ms);
  const pids = contender.pids();
  const ours = [...pids, ...contender.helpers()];
  const [startMs, server, bench, all] = [performance.now(), totalOf(pids), totalOf(ours), cpuMsOfAll()];
  const ran = await contender.run(ms);
  const cpuMs = totalOf(pids) - server;
  const othersMs = cpuMsOfAll() - all - (totalOf(ours) - bench);
  const passedMs = performance.now() - startMs;
  if (ran.wrong > 0 || ran.calls === 0) throw new WrongAnswers(contender, ran);
  const count = ran.calls * (contender.tokensACall ?? 1);
  return {
    count,
    callsPerS: (count * 1000) / ran.tookMs,
    cpuUs: (cpuMs * 1000) / count,
    p50Ms: ran.p50Ms,
    p99Ms: ran.p99Ms,
    othersCpu: Math.max(0, othersMs / passedMs),
  };
}

/** @returns the figures of each contender, round by round. @throws WrongAnswers */
export async function contest(contenders: readonly Contender[], limits: Rounds): Promise<Figures[][]> {
  const { rounds, ms, warmMs, warmTokens } = limits;
  for (const contender of contenders) {
    for (let count = 0; count < warmTokens; ) count += (await measure(contender, warmMs)).count;
  }
  const figures: Figures[][] = contenders.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [at, contender] of contenders.entries()) figures[at]?.push(await measure(contender, ms));
  }
  return figures;
}
