// The validators of a chaos run: one is asked strictly, one within its staleness, and four are disturbed, each in a way.
// Six more follow the feed.

import type { Source } from '../../src/validator/index.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { elapse } from '../support/waiting.js';
import { probeLogout } from './logout-probe.js';
import type { ChaosNode } from './node.js';
import type { Random } from './random.js';
import type { Span, ValidationRecord } from './record.js';
import type { Recorder } from './recorder.js';
import { newest, type Sessions } from './sessions.js';
import { type Asked, MAX_STALENESS_MS, type Staleness, ValidatorProcess } from './validator-process.js';

/** Questions are asked by this many loops for each validator, each waiting for its answers. */
const LOOPS = 3;
/** Logouts that each validator is asked about at the worst moments, at a time. */
const PROBES = 2;
/** Between two rounds of one loop, ms. */
const PAUSE_MS = [10, 60] as const;
/** The most tokens of one round. */
const MOST_ASKED = 6;
/** How often a token is asked about twice in one round. */
const TWICE = 0.2;
/** How often a session is asked about that is over, and how often one that was over only a moment ago. */
const OVER = 0.55;
const JUST_OVER = 0.3;
/** For how long a session that is over is asked about: until it must be known, and a little longer, ms. */
const WATCHED_MS = MAX_STALENESS_MS + 600;
const MOMENT_MS = 400;
/** A shorter staleness, for some questions, ms. */
const SHORT_MS = 300;
/** Round trips of the slow proxies, ms: within the time that one call of a validator may take. */
const SLOW_MS = [50, 300] as const;
const CLOCK_STEPS_MS = [-3_600_000, -10_000, -1_500, -400, 400, 1_500, 10_000, 3_600_000] as const;

export interface ValidatorsOptions {
  readonly nodes: readonly ChaosNode[];
  readonly sessions: Sessions;
  readonly recorder: Recorder;
  readonly random: Random;
  readonly preloads: readonly string[];
  /** What the answers of those that run rest on; undefined: all run. */
  readonly source: Source | undefined;
}

/** What a validator is disturbed with. */
interface Disturbed {
  readonly validator: ValidatorProcess;
  /** Between it and the nodes, where it has any. */
  readonly proxies: readonly TcpProxy[];
  /** Waits for a random time between two numbers of ms; less if the run ends. */
  readonly last: (least: number, most: number) => Promise<void>;
  readonly random: Random;
}

interface Kind {
  /** The staleness that its callers allow, one at random. */
  readonly stalenesses: readonly Staleness[];
  readonly hasProxies?: boolean;
  /** What its answers rest on. Default: `answers`. */
  readonly source?: Source;
  /** Disturbs it once, and ends that. */
  readonly disturb?: (disturbed: Disturbed) => Promise<void>;
}

const MIXED: readonly Staleness[] = [undefined, MAX_STALENESS_MS, MAX_STALENESS_MS, SHORT_MS];

/** By name. */
const KINDS: Readonly<Record<string, Kind>> = {
  strict: { stalenesses: [undefined] },
  bounded: { stalenesses: [MAX_STALENESS_MS] },
  paused: { stalenesses: MIXED, disturb: pause },
  'cut off': { stalenesses: MIXED, hasProxies: true, disturb: cutOff },
  slow: { stalenesses: MIXED, hasProxies: true, disturb: slowDown },
  'clock stepped': { stalenesses: MIXED, disturb: stepClock },
  feed: { stalenesses: MIXED, source: 'feed' },
  'feed, paused': { stalenesses: MIXED, source: 'feed', disturb: pause },
  'feed, cut off': { stalenesses: MIXED, source: 'feed', hasProxies: true, disturb: cutOff },
  'feed, slow': { stalenesses: MIXED, source: 'feed', hasProxies: true, disturb: slowDown },
  'feed, clock stepped': { stalenesses: MIXED, source: 'feed', disturb: stepClock },
  'feed, suspended': { stalenesses: MIXED, source: 'feed', disturb: suspend },
};

/** Their names. */
export const VALIDATORS = Object.keys(KINDS);

/** It is stopped, and continues with what it remembered and with answers that came meanwhile. */
async function pause({ validator, last }: Disturbed): Promise<void> {
  await last(500, 2_500);
  validator.pause();
  await last(100, 3_500);
  validator.resume();
}

/** Bytes are lost, without a reset: calls get no answer, and connections stay mute until pings fail. */
async function cutOff({ proxies, last, random }: Disturbed): Promise<void> {
  await last(1_500, 5_000);
  const cut = random.chance(0.5) ? proxies : [random.pick(proxies)];
  for (const proxy of cut) proxy.drop();
  await last(300, 3_000);
  for (const proxy of cut) proxy.mend();
}

async function slowDown({ proxies, last, random }: Disturbed): Promise<void> {
  for (const proxy of proxies) proxy.delay(Math.round(random.between(...SLOW_MS)));
  await last(500, 3_000);
}

/** The machine is suspended: its monotonic clock stops, its wall clock goes on. */
async function suspend({ validator, last, random }: Disturbed): Promise<void> {
  await last(500, 2_500);
  const ms = Math.round(random.between(300, 4_000));
  validator.suspend(ms);
  await last(ms, ms);
}

async function stepClock({ validator, last, random }: Disturbed): Promise<void> {
  await last(200, 1_500);
  validator.setClock(random.pick(CLOCK_STEPS_MS));
  await last(200, 2_500);
  if (random.chance(0.7)) validator.setClock(0);
}

interface Member extends Pick<Disturbed, 'validator' | 'proxies'> {
  readonly kind: Kind;
}

export class Validators {
  readonly #members: readonly Member[];
  readonly #options: ValidatorsOptions;

  private constructor(members: readonly Member[], options: ValidatorsOptions) {
    this.#members = members;
    this.#options = options;
  }

  static async start(options: ValidatorsOptions): Promise<Validators> {
    const { nodes, preloads } = options;
    const begin = async ([name, kind]: [string, Kind]): Promise<Member> => {
      const ports = nodes.map(({ address }) => Number(address.split(':')[1]));
      const proxies = kind.hasProxies ? await Promise.all(ports.map((port) => TcpProxy.start(port))) : [];
      const usual = nodes.map(({ address }) => address);
      const addresses = kind.hasProxies ? proxies.map(({ port }) => `127.0.0.1:${port}`) : usual;
      const { source = 'answers' } = kind;
      return { kind, proxies, validator: await ValidatorProcess.start({ name, addresses, source, preloads }) };
    };
    const kinds = Object.entries(KINDS).filter(([, { source = 'answers' }]) => source === (options.source ?? source));
    return new Validators(await Promise.all(kinds.map(begin)), options);
  }

  get records(): ValidationRecord[] {
    return this.#members.flatMap(({ validator }) => validator.records);
  }

  get stalls(): Record<string, Span[]> {
    return Object.fromEntries(this.#members.map(({ validator: { name, stalls } }) => [name, stalls]));
  }

  /** Has questions asked until the run ends. */
  async run(stopped: AbortSignal): Promise<void> {
    const work = this.#members.flatMap((member) => [
      this.#disturb(member, stopped),
      this.#askBy(member, stopped),
      this.#probeBy(member, stopped),
    ]);
    await Promise.all(work);
  }

  async stop(): Promise<void> {
    const ended = this.#members.map(async ({ validator, proxies }) => {
      validator.resume();
      await validator.stop();
      await Promise.all(proxies.map((proxy) => proxy.stop()));
    });
    await Promise.all(ended);
  }

  async #disturb({ kind, validator, proxies }: Member, stopped: AbortSignal): Promise<void> {
    const random = this.#options.random.fork();
    const last = (least: number, most: number): Promise<void> =>
      elapse(random.between(least, most), 'the fault lasts', stopped);
    while (kind.disturb && !stopped.aborted) await kind.disturb({ validator, proxies, last, random });
  }

  async #askBy({ kind, validator }: Member, stopped: AbortSignal): Promise<void> {
    const loop = async (random: Random): Promise<void> => {
      while (!stopped.aborted) {
        const count = Math.ceil(random.between(0, MOST_ASKED));
        const questions = Array.from({ length: count }, () => this.#questions(kind, random)).flat();
        await validator.ask(questions);
        await elapse(random.between(...PAUSE_MS), 'paces calls');
      }
    };
    await Promise.all(Array.from({ length: LOOPS }, () => loop(this.#options.random.fork())));
  }

  async #probeBy({ kind: { stalenesses }, validator }: Member, stopped: AbortSignal): Promise<void> {
    const { recorder } = this.#options;
    const loop = async (random: Random): Promise<void> => {
      while (!stopped.aborted) await probeLogout({ validator, stalenesses, recorder, random });
    };
    await Promise.all(Array.from({ length: PROBES }, () => loop(this.#options.random.fork())));
  }

  /** One token, or the same one twice; none: no session has begun. */
  #questions({ stalenesses }: Kind, random: Random): Asked[] {
    const { sessions } = this.#options;
    const withinMs = random.chance(JUST_OVER) ? MOMENT_MS : WATCHED_MS;
    const over = random.chance(OVER) ? sessions.justOver(random, withinMs) : undefined;
    const session = over ?? sessions.live(random);
    if (!session) return [];
    const of = random.chance(0.8) ? newest(session) : random.pick(session.pairs);
    return Array.from({ length: random.chance(TWICE) ? 2 : 1 }, () => ({ of, stalenessMs: random.pick(stalenesses) }));
  }
}
