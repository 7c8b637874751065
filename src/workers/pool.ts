// Owns the workers of one service: how many there are, who follows whom, and that they end together.

import cluster from 'node:cluster';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Variables } from '../env.js';
import type { Logger } from '../log.js';
import { standardError } from '../output/standard-error.js';
import { BackOff } from './back-off.js';
import { type Ending, Member, WorkerFailed } from './member.js';

/** How long a worker may take until it listens, and in a roll until it has reached its store, too. */
const START_MS = 30_000;
/** More than the time that a service gives itself to stop. */
const STOP_MS = 15_000;

export interface PoolOptions {
  readonly count: number;
  /** The program of a worker, and its arguments. */
  readonly exec: string;
  readonly args: readonly string[];
  /** What workers are told, for it is not in their environment. */
  readonly secrets: Variables;
  readonly startMs?: number;
  readonly stopMs?: number;
}

/** One of the places that are to be taken at all times. */
interface Place {
  member: Member;
  /** While a roll brings another: nobody else does. */
  rolling: Promise<void> | undefined;
  readonly backOff: BackOff;
}

export class Pool {
  readonly #log: Logger;
  readonly #options: PoolOptions;
  readonly #startMs: number;
  readonly #places: Place[] = [];
  /** All that live, in a place or not. */
  readonly #members = new Set<Member>();
  #started = false;
  #stopping = false;
  #rolling = false;
  #rollAgain = false;

  constructor(log: Logger, options: PoolOptions) {
    this.#log = log;
    this.#options = options;
    this.#startMs = options.startMs ?? START_MS;
    // Each connection goes to the next worker that is free. Where the system chooses, it likes some more than others.
    cluster.schedulingPolicy = cluster.SCHED_RR;
    // Descriptor 2 of this process may lead nowhere.
    const stdio = ['inherit', 'inherit', standardError(), 'ipc'] as const;
    cluster.setupPrimary({ exec: options.exec, args: [...options.args], stdio: [...stdio] });
  }

  /**
   * Starts one worker, and when it listens the others: what is wrong with all of them is told once, by the first.
   * @throws WorkerFailed if the first one cannot start
   */
  async start(): Promise<void> {
    const first = this.#fork();
    const addresses = await first.listening.catch((error: unknown) => {
      if (!this.#stopping) throw error;
    });
    // Whoever has it stop waits for its end, and not for this.
    if (this.#stopping) return;
    this.#settle(first);
    const others = Array.from({ length: this.#options.count - 1 }, () => this.#fork());
    for (const each of others) this.#settle(each);
    await Promise.allSettled(others.map(({ listening }) => listening));
    this.#started = true;
    if (this.#stopping) return;
    this.#log.info({ workers: this.#options.count, addresses }, 'the workers have started');
    if (this.#rollAgain) this.roll();
  }

  /** Replaces the workers one by one, each when its successor serves. Once more after the roll that is under way. */
  roll(): void {
    this.#rollAgain = true;
    if (this.#started && !this.#rolling) void this.#roll();
  }

  /** Lets all calls under way end, and all workers. @throws WorkerFailed if some had to be killed */
  async stop(): Promise<void> {
    this.#stopping = true;
    const members = [...this.#members];
    for (const member of members) member.stop();
    const ended = Promise.all(members.map((member) => member.ended));
    const stopMs = this.#options.stopMs ?? STOP_MS;
    if (await Promise.race([ended, sleep(stopMs, undefined, { ref: false })])) return;
    this.kill();
    throw new WorkerFailed(`workers had not ended after ${stopMs} ms, and were killed`);
  }

  /** Ends all workers at once. */
  kill(): void {
    this.#stopping = true;
    for (const member of this.#members) member.kill();
  }

  #fork(): Member {
    const member = new Member(this.#options.secrets, this.#startMs);
    this.#members.add(member);
    void member.ended.then(() => this.#members.delete(member));
    // It may have been asked to stop while it was on its way.
    if (this.#stopping) member.stop();
    return member;
  }

  #settle(member: Member): void {
    const place = { member, rolling: undefined, backOff: new BackOff() };
    this.#places.push(place);
    void this.#tend(place);
  }

  /** Has one that ends unasked followed by another, for ever. */
  async #tend(place: Place): Promise<void> {
    for (;;) {
      const { member } = place;
      const ending = await member.ended;
      await place.rolling;
      if (this.#stopping) return;
      // Not if a roll has put another into its place.
      if (place.member !== member) continue;
      const againInMs = place.backOff.after(member.livedMs);
      this.#tellEnd(member, ending, { againInMs });
      await sleep(againInMs);
      if (this.#stopping) return;
      place.member = this.#fork();
    }
  }

  async #roll(): Promise<void> {
    this.#rolling = true;
    while (this.#rollAgain && !this.#stopping) {
      this.#rollAgain = false;
      this.#log.info({ workers: this.#places.length }, 'replacing the workers one by one');
      if (await this.#replaceAll()) this.#log.info({ workers: this.#places.length }, 'all workers have been replaced');
    }
    this.#rolling = false;
  }

  /** @returns whether it came to its end */
  async #replaceAll(): Promise<boolean> {
    const old = this.#places.map(({ member }) => member);
    for (const [n, place] of this.#places.entries()) {
      const { member } = place;
      // One that has come in the meantime is new enough, and so will be who follows one that has gone.
      if (member !== old[n] || !member.isAlive) continue;
      const fresh = this.#fork();
      const replaced = this.#replace(place, fresh);
      place.rolling = replaced.then(
        () => {},
        () => {},
      );
      try {
        await replaced;
      } catch {
        if (!this.#stopping) {
          this.#tellEnd(fresh, await fresh.ended, {}, 'the new worker did not come up: the others stay as they are');
        }
        return false;
      } finally {
        place.rolling = undefined;
      }
      if (this.#stopping) return false;
    }
    return true;
  }

  /** @throws WorkerFailed if the new one does not come up; then the old one stays */
  async #replace(place: Place, fresh: Member): Promise<void> {
    // One that cannot reach the store must not take the place of one that may.
    const why = `it did not reach its store within ${this.#startMs} ms`;
    const late = setTimeout(() => fresh.kill(why), this.#startMs);
    await fresh.serving.finally(() => clearTimeout(late));
    const { member } = place;
    place.member = fresh;
    await this.#endInOrder(member);
  }

  async #endInOrder(member: Member): Promise<void> {
    const late = setTimeout(() => member.kill('it did not stop in time'), this.#options.stopMs ?? STOP_MS);
    member.stop();
    await member.ended;
    clearTimeout(late);
  }

  #tellEnd({ id, pid }: Member, { code, signal, why }: Ending, more: object, message = 'a worker has ended'): void {
    const detail = why === undefined ? {} : { detail: why };
    const fields = { worker: id, workerPid: pid, exitCode: code, signal, ...detail, ...more };
    // Somebody may have asked it to.
    if (code === 0) this.#log.warn(fields, message);
    else this.#log.error(fields, message);
  }
}
