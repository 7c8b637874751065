// The rules of `store check` for Sentinels: votes, quorum, failover time and replicas. Pure.

import type { HostPort } from '../../adapters/redis/url.js';
import { type CheckResult, good, unsafe, warning } from '../check-result.js';

/** The answer of one Sentinel. */
export interface SentinelFacts {
  readonly name: string;
  /** Why there is no answer. */
  readonly why: string;
  readonly answer:
    | {
        readonly primary: HostPort;
        readonly replicas: readonly HostPort[];
        /** How many Sentinels it reports, itself included. */
        readonly all: number;
        readonly quorum: number;
        readonly downAfterMs: number;
      }
    | undefined;
}

/** The service's own time limit of a command, ms. */
const COMMAND_MS = 500;
const SLOW_MS = 10_000;

export function sentinelResults(facts: readonly SentinelFacts[]): readonly CheckResult[] {
  const answers = facts.flatMap(({ answer }) => (answer ? [answer] : []));
  const all = Math.max(facts.length, ...answers.map((answer) => answer.all));
  const most = Math.floor(all / 2) + 1;
  const silent = facts.filter(({ answer }) => !answer).map(({ name, why }) => `${name} (${why})`);
  return [
    ...agreement(answers, all, most, silent),
    ...number(facts.length, all, most),
    ...settings(answers, all, most),
    ...replicas(answers),
  ];
}

type Answers = readonly NonNullable<SentinelFacts['answer']>[];

function agreement(answers: Answers, all: number, most: number, silent: readonly string[]): CheckResult[] {
  const names = new Set(answers.map(({ primary }) => `${primary.host}:${primary.port}`));
  const remedy = 'check that they run, that REDIS_URL names them, and that REDIS_SENTINEL_PASSWORD is right';
  const found: CheckResult[] = [];
  if (answers.length < most) {
    found.push(
      unsafe(
        `${answers.length} of ${all} Sentinels answer: the service needs the votes of ${most}. No answer: ${silent.join(', ') || 'those that REDIS_URL does not name'}`,
        remedy,
      ),
    );
  } else if (silent.length > 0) found.push(warning(`These Sentinels do not answer: ${silent.join(', ')}`, remedy));
  if (names.size > 1) {
    found.push(
      unsafe(
        `The Sentinels name different primaries: ${[...names].join(', ')}`,
        'wait until they agree; check with `redis-cli -p 26379 sentinel ckquorum NAME`',
      ),
    );
  } else if (names.size === 1 && answers.length >= most)
    found.push(good(`${answers.length} of ${all} Sentinels name one primary, ${[...names]}`));
  return found;
}

function number(named: number, all: number, most: number): CheckResult[] {
  const found: CheckResult[] = [];
  if (all < 3) {
    found.push(
      warning(
        `There ${all === 1 ? 'is 1 Sentinel' : `are ${all} Sentinels`}: when one fails, there is no majority for another primary`,
        'run at least three, on different machines',
      ),
    );
  }
  if (named < all) {
    found.push(
      (named < most ? unsafe : warning)(
        `REDIS_URL names ${named} of ${all} Sentinels: the service asks only those, and needs the votes of ${most}`,
        'name all of them in REDIS_URL',
      ),
    );
  }
  return found;
}

function settings(answers: Answers, all: number, most: number): CheckResult[] {
  const found: CheckResult[] = [];
  const [quorum, downAfterMs] = [
    Math.max(...answers.map((a) => a.quorum)),
    Math.max(...answers.map((a) => a.downAfterMs)),
  ];
  if (answers.length === 0) return found;
  if (quorum > all) {
    found.push(
      unsafe(
        `The quorum is ${quorum} of ${all} Sentinels: there can be no failover`,
        `set it to ${most}: \`sentinel set NAME quorum ${most}\` at each`,
      ),
    );
  } else if (quorum < most) {
    found.push(
      warning(
        `The quorum is ${quorum} of ${all} Sentinels: a minority that cannot reach the primary may start a failover`,
        `set it to ${most}: \`sentinel set NAME quorum ${most}\` at each`,
      ),
    );
  }
  const remedy = 'set it between 1000 and 10000: `sentinel set NAME down-after-milliseconds 5000` at each';
  if (downAfterMs <= COMMAND_MS) {
    found.push(
      warning(
        `down-after-milliseconds is ${downAfterMs}, and the service itself waits ${COMMAND_MS} ms for an answer: even a short pause causes a failover`,
        remedy,
      ),
    );
  } else if (downAfterMs > SLOW_MS) {
    found.push(
      warning(
        `down-after-milliseconds is ${downAfterMs}: when the primary fails, all calls fail for that time and some seconds more`,
        remedy,
      ),
    );
  } else found.push(good(`A primary counts as down after ${downAfterMs} ms (down-after-milliseconds)`));
  return found;
}

function replicas(answers: Answers): CheckResult[] {
  const [first] = answers;
  if (!first || first.replicas.length > 0) return [];
  return [warning('The primary has no replica: when it fails, no server can replace it', 'run at least two replicas')];
}
