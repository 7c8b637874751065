// The primary that a majority of Sentinels names.

import type { Redis } from 'ioredis';
import { StoreUnavailable } from '../../../core/errors.js';
import { clientMaker, type TlsSource } from '../client.js';
import { field } from '../server-info.js';
import { canDial, type HostPort, hostPortText, type RedisTarget } from '../url.js';
import type { Owners, ServerAddress } from './owners.js';
import { PrimaryLease } from './primary-lease.js';
import { Voter } from './voter.js';

interface Answer {
  readonly address: HostPort;
  readonly epoch: number;
  /** The number of other Sentinels that it reports. */
  readonly others: number;
}

export interface SentinelParts {
  readonly target: RedisTarget;
  /** The URL of a Sentinel, with the Sentinels' credentials. */
  readonly sentinelUrl: (address: HostPort) => string;
  readonly connectTimeoutMs: number;
  readonly commandTimeoutMs: number;
  readonly tls: TlsSource | undefined;
  readonly monotonicMs: () => number;
}

export class SentinelOwners implements Owners {
  readonly groups = 1;
  readonly #parts: SentinelParts;
  readonly #lease = new PrimaryLease();
  readonly #sentinels: readonly Voter<Answer>[];
  /** The last answer of each Sentinel. */
  readonly #answers = new Map<string, Answer>();
  #wanted: ReadonlySet<string> = new Set();
  #listener = (): void => {};

  /** Asks the voters until it is closed. */
  constructor(parts: SentinelParts) {
    this.#parts = parts;
    const { target, sentinelUrl, connectTimeoutMs, commandTimeoutMs: limitMs, tls, monotonicMs } = parts;
    this.#sentinels = target.addresses.map((address) => {
      const makeClient = clientMaker(sentinelUrl(address), connectTimeoutMs, tls);
      const ask = (client: Redis) => askSentinel(client, target);
      const answered = (answer: Answer, askedMs: number, receivedMs: number) =>
        this.#answered(hostPortText(address), answer, askedMs, receivedMs);
      return new Voter({ makeClient, ask, limitMs, monotonicMs, answered });
    });
  }

  ownerOf(): string | undefined {
    return this.#lease.holder(this.#parts.monotonicMs());
  }

  get why(): string {
    const silent = this.#sentinels.map(({ why }) => why).filter((why) => why !== '');
    const all = this.#voters.size;
    const [first] = silent;
    if (first !== undefined)
      return `${all - silent.length} of ${all} Sentinels name a primary, and more than half must (${first})`;
    if (this.#lease.elected !== undefined) return 'the Sentinels have named this primary only just now';
    return `the ${all} Sentinels do not agree on a primary, or REDIS_URL names too few of them`;
  }

  destinationOf(): undefined {
    return undefined;
  }

  get wanted(): ReadonlySet<string> {
    return this.#wanted;
  }

  addressOf(id: string): ServerAddress | undefined {
    const address = [...this.#answers.values()]
      .map((answer) => answer.address)
      .find((each) => hostPortText(each) === id);
    return address && { id, url: this.#parts.target.urlOf(address), label: id };
  }

  watch(listener: () => void): void {
    this.#listener = listener;
  }

  async close(): Promise<void> {
    await Promise.all(this.#sentinels.map((sentinel) => sentinel.close()));
  }

  #answered(sentinel: string, answer: Answer, askedMs: number, receivedMs: number): void {
    this.#answers.set(sentinel, answer);
    const vote = { server: hostPortText(answer.address), epoch: answer.epoch };
    this.#lease.record(sentinel, { vote, askedMs, receivedMs });
    this.#lease.count(this.#voters);
    const { elected } = this.#lease;
    if (elected !== undefined && !this.#wanted.has(elected)) this.#wanted = new Set([elected]);
    this.#listener();
  }

  /** Sentinels that REDIS_URL does not name count toward the majority, but are not asked. */
  get #voters(): ReadonlySet<string> {
    const addresses = this.#parts.target.addresses.map(hostPortText);
    const counts = [...this.#answers.values()].map(({ others }) => others + 1);
    const unasked = Math.max(0, ...counts.map((count) => count - addresses.length));
    return new Set([...addresses, ...Array.from({ length: unasked }, (_, n) => `unasked ${n}`)]);
  }
}

async function askSentinel(client: Redis, target: RedisTarget): Promise<Answer> {
  const answer = await client.call('SENTINEL', 'MASTER', target.name).catch((error: Error) => {
    if (!/No such master/.test(error.message)) throw error;
    throw new StoreUnavailable('a Sentinel does not monitor the name in REDIS_URL');
  });
  const words = Array.isArray(answer) ? answer.map(String) : [];
  const text = Array.from({ length: words.length / 2 }, (_, n) => `${words[2 * n]}:${words[2 * n + 1]}`).join('\n');
  const number = (key: string): number => Number(field(text, key) ?? Number.NaN);
  const host = field(text, 'ip');
  const [port = 0, epoch = 0, others = 0] = ['port', 'config-epoch', 'num-other-sentinels'].map(number);
  if (host === undefined || ![port, epoch, others].every(Number.isSafeInteger)) {
    throw new StoreUnavailable('a Sentinel answers in an unexpected format');
  }
  const address = { host, port };
  // The address is empty while the Sentinel cannot resolve the primary's host name.
  if (!canDial(target, address)) {
    throw new StoreUnavailable('a Sentinel names no usable address of the primary (can it resolve its host name?)');
  }
  return { address, epoch, others };
}
