// The core on a store of its own, for tests that need the clock and the answers of one process among several.

import { slotOf } from '../../src/adapters/redis/keys.js';
import { RedisStore, type RedisStoreOptions } from '../../src/adapters/redis/redis-store.js';
import { StoreUnavailable } from '../../src/core/errors.js';
import type { Policy } from '../../src/core/policy.js';
import { TokenRefused } from '../../src/core/token/errors.js';
import { issue } from '../../src/core/use-cases/issue.js';
import { logout } from '../../src/core/use-cases/logout.js';
import { refresh } from '../../src/core/use-cases/refresh.js';
import { validate } from '../../src/core/use-cases/validate.js';
import { RecordingLog } from '../support/recording-log.js';
import { until } from '../support/waiting.js';
import { aCall, loginOf, type Node, node, POLICY } from '../support/world.js';

/** How long the first writes may take, ms. */
const BEGIN_MS = 30_000;

/** What becomes of a call: `ok`, `active`, why the token is refused, or UNAVAILABLE. */
export type Outcome = string;

type Issued = Awaited<ReturnType<typeof issue>>;

/** What a call came to. Any other error is a fault of the test. */
async function outcomeOf(call: Promise<Outcome>): Promise<Outcome> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof TokenRefused) return error.problem;
    if (error instanceof StoreUnavailable) return 'UNAVAILABLE';
    throw error;
  }
}

export class CoreProcess {
  readonly store: RedisStore;
  readonly log = new RecordingLog();
  readonly #context: Node;

  private constructor(url: string, options: Partial<RedisStoreOptions>, policy: Partial<Policy>) {
    this.store = new RedisStore({ url, allowUnsafe: true, log: this.log, ...options });
    this.#context = node(this.store, { ...POLICY, ...policy });
  }

  static async open(
    url: string,
    options: Partial<RedisStoreOptions> = {},
    policy: Partial<Policy> = {},
  ): Promise<CoreProcess> {
    const process = new CoreProcess(url, options, policy);
    await process.store.opened();
    await process.#begin();
    return process;
  }

  /** Writes the births; as a service does, it tries again where a busy machine is late with an answer. */
  async #begin(): Promise<void> {
    await until(
      () =>
        this.#context.births.write().then(
          () => true,
          (error: unknown) => {
            if (error instanceof StoreUnavailable) return false;
            throw error;
          },
        ),
      BEGIN_MS,
    );
  }

  issue(subject: string): Promise<Issued> {
    return issue(this.#context, aCall(), loginOf(subject));
  }

  refresh(pair: Issued): Promise<Issued> {
    return refresh(this.#context, aCall(), pair.refreshToken);
  }

  refreshed(pair: Issued): Promise<Outcome> {
    return outcomeOf(this.refresh(pair).then(() => 'ok'));
  }

  logout({ refreshToken }: Issued): Promise<Outcome> {
    const request = { accessToken: '', refreshToken, allSessions: false };
    return outcomeOf(logout(this.#context, aCall(), request).then(() => 'ok'));
  }

  validate({ accessToken }: Issued): Promise<Outcome> {
    const validation = validate(this.#context, aCall(), accessToken);
    return outcomeOf(validation.then((verdict) => (verdict.active ? 'active' : verdict.problem)));
  }

  /** How a read of a shard ends. */
  read(shard: number): Promise<Outcome> {
    return outcomeOf(this.store.read([{ kind: 'birth', shard }]).then(() => 'ok'));
  }

  waitForReplicas(shard: number): Promise<Outcome> {
    return outcomeOf(this.store.waitForReplicas(shard, this.store.incarnationOf(shard)).then(() => 'ok'));
  }

  /** A subject whose slot is one of those that a test wants. */
  subjectIn(wanted: (slot: number) => boolean): string {
    for (let n = 0; ; n++) if (wanted(slotOf(this.store.shardOf(`user-${n}`)))) return `user-${n}`;
  }

  slotOf(subject: string): number {
    return slotOf(this.store.shardOf(subject));
  }

  close(): Promise<void> {
    return this.store.close();
  }
}

/** How often each outcome came. */
export class Tally {
  readonly #counts = new Map<Outcome, number>();

  add(outcome: Outcome): void {
    this.#counts.set(outcome, this.of(outcome) + 1);
  }

  of(outcome: Outcome): number {
    return this.#counts.get(outcome) ?? 0;
  }

  get total(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** All that came, for the message of a test that fails. */
  get text(): string {
    return [...this.#counts].map(([outcome, count]) => `${count} ${outcome}`).join(', ');
  }
}
