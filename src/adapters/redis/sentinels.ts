// Owns what Sentinels say: who the primary of a name is, as far as it can be believed.

import { setTimeout as sleep } from 'node:timers/promises';
import { StoreUnavailable } from '../../core/errors.js';
import { Belief, NOTHING, type Verdict } from './belief.js';
import { clientMaker, type TlsSource } from './client.js';
import type { Found } from './connection.js';
import { field } from './inspection.js';
import type { Place, RedisTarget } from './url.js';
import { Witness } from './witness.js';

/** What one Sentinel says. */
interface Word {
  readonly place: Place;
  /** For how long it has said so, ms. */
  readonly heldMs: number;
  /** How many others it knows. */
  readonly others: number;
}

export interface SentinelsParts {
  readonly target: RedisTarget;
  /** The URL of a Sentinel, with the credentials that Sentinels ask for. */
  readonly sentinelUrl: (place: Place) => string;
  readonly connectTimeoutMs: number;
  readonly commandTimeoutMs: number;
  readonly tls: TlsSource | undefined;
  readonly monotonicMs: () => number;
}

/** While no primary can be believed, ms. */
const LOOK_EVERY_MS = 20;

const nameOf = ({ host, port }: Place): string => `${host} ${port}`;

export class Sentinels {
  readonly #parts: SentinelsParts;
  readonly #belief = new Belief(false);
  readonly #witnesses: readonly Witness<Word>[];
  /** How many Sentinels each of them knows, itself included. */
  readonly #counts = new Map<string, number>();
  #verdict: Verdict = NOTHING;
  #closed = false;
  readonly #known = new Map<string, Place>();

  /** Starts to ask, and does not stop until it is closed. */
  constructor(parts: SentinelsParts) {
    this.#parts = parts;
    const { target, sentinelUrl, connectTimeoutMs, commandTimeoutMs, tls, monotonicMs } = parts;
    this.#witnesses = target.places.map((place) => {
      const makeClient = clientMaker(sentinelUrl(place), connectTimeoutMs, tls);
      const ask = (client: ReturnType<typeof makeClient>) => askSentinel(client, target.name);
      const hear = (word: Word, askedMs: number, receivedMs: number) => {
        this.#counts.set(nameOf(place), word.others + 1);
        this.#known.set(nameOf(word.place), word.place);
        this.#belief.hear(nameOf(place), nameOf(word.place), askedMs, receivedMs, word.heldMs);
        this.#verdict = this.#belief.verdict(this.#voters);
      };
      return new Witness({ makeClient, ask, limitMs: commandTimeoutMs, monotonicMs, hear });
    });
  }

  /** The primary, once it can be believed. @throws StoreUnavailable if that takes long */
  async find(): Promise<Found> {
    const { monotonicMs, connectTimeoutMs: limitMs } = this.#parts;
    for (const untilMs = monotonicMs() + limitMs; ; await sleep(LOOK_EVERY_MS)) {
      try {
        return this.#find();
      } catch (error) {
        if (this.#closed || monotonicMs() > untilMs) throw error;
      }
    }
  }

  #find(): Found {
    const primary = this.#believed();
    const place = this.#known.get(primary);
    if (!place) throw new StoreUnavailable('no Sentinel names a primary');
    const { target, connectTimeoutMs, tls } = this.#parts;
    return {
      makeClient: clientMaker(target.urlOf(place), connectTimeoutMs, tls),
      check: () => {
        if (this.#believed() !== primary) throw new StoreUnavailable('the Sentinels name another primary');
      },
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#witnesses.map((witness) => witness.close()));
  }

  #believed(): string {
    const nowMs = this.#parts.monotonicMs();
    const { primary, fromMs, untilMs } = this.#verdict;
    if (primary === undefined || nowMs >= untilMs) throw new StoreUnavailable(this.#disagreement());
    if (nowMs < fromMs) throw new StoreUnavailable('the Sentinels have only just named this primary');
    return primary;
  }

  #disagreement(): string {
    const silent = this.#witnesses.map(({ why }) => why).filter((why) => why !== '');
    const all = this.#voters.size;
    const [first] = silent;
    if (first === undefined)
      return `the ${all} Sentinels do not agree on a primary, or REDIS_URL names too few of them`;
    return `${all - silent.length} of ${all} Sentinels name a primary, and more than half must (${first})`;
  }

  /** Those that REDIS_URL does not name have a voice, too, which is not heard. */
  get #voters(): ReadonlySet<string> {
    const places = this.#parts.target.places.map(nameOf);
    const unheard = Math.max(0, Math.max(...this.#counts.values()) - places.length);
    return new Set([...places, ...Array.from({ length: unheard }, (_, n) => `unheard ${n}`)]);
  }
}

async function askSentinel(
  client: { call(...args: [string, ...string[]]): Promise<unknown> },
  name: string,
): Promise<Word> {
  const answer = await client.call('SENTINEL', 'MASTER', name).catch((error: Error) => {
    if (!/No such master/.test(error.message)) throw error;
    throw new StoreUnavailable('a Sentinel does not know the name in REDIS_URL');
  });
  const words = Array.isArray(answer) ? answer.map(String) : [];
  const text = Array.from({ length: words.length / 2 }, (_, n) => `${words[2 * n]}:${words[2 * n + 1]}`).join('\n');
  const number = (key: string): number => Number(field(text, key) ?? Number.NaN);
  const [host, port] = [field(text, 'ip'), number('port')];
  const [heldMs, others] = [number('role-reported-time'), number('num-other-sentinels')];
  if (host === undefined || ![port, heldMs, others].every(Number.isSafeInteger)) {
    throw new StoreUnavailable('a Sentinel answers in another form than was expected');
  }
  return { place: { host, port }, heldMs, others };
}
