// One voter: a Sentinel or cluster node that is asked periodically for its view, on a connection of its own.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { connect } from '../client.js';
import { bounded, explain } from '../failure.js';

/** The pause between an answer and the next question, ms: several questions must fit into a lease. */
const ASK_EVERY_MS = 300;

export interface VoterParts<Answer> {
  readonly makeClient: () => Redis;
  readonly ask: (client: Redis) => Promise<Answer>;
  /** The time limit for connecting, and for an answer, ms. */
  readonly limitMs: number;
  /** The process's monotonic clock, ms. */
  readonly monotonicMs: () => number;
  /** Called with each answer, and the times before the question and after the answer. */
  readonly answered: (answer: Answer, askedMs: number, receivedMs: number) => void;
}

export class Voter<Answer> {
  readonly #parts: VoterParts<Answer>;
  readonly #closing = new AbortController();
  readonly #kept: Promise<void>;
  #waking = new AbortController();
  #why = 'has not answered yet';

  /** Asks periodically until it is closed. */
  constructor(parts: VoterParts<Answer>) {
    this.#parts = parts;
    this.#kept = this.#keep();
  }

  /** Why it does not answer; empty: it answers. */
  get why(): string {
    return this.#why;
  }

  /** Ends the pause before the next question. */
  nudge(): void {
    this.#waking.abort();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#waking.abort();
    await this.#kept;
  }

  async #keep(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      const client = this.#parts.makeClient();
      const end = () => client.disconnect();
      signal.addEventListener('abort', end);
      try {
        await this.#askOn(client);
      } catch (error) {
        this.#why = explain(error).detail;
      } finally {
        signal.removeEventListener('abort', end);
        end();
      }
      await this.#pause();
    }
  }

  async #askOn(client: Redis): Promise<void> {
    const { ask, limitMs, monotonicMs, answered } = this.#parts;
    const greeted = connect(client, async () => {});
    await bounded(greeted, limitMs, 'connecting');
    while (!this.#closing.signal.aborted) {
      const askedMs = monotonicMs();
      const answer = await bounded(ask(client), limitMs, 'an answer');
      this.#why = '';
      answered(answer, askedMs, monotonicMs());
      await this.#pause();
    }
  }

  async #pause(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    await sleep(ASK_EVERY_MS, undefined, { signal: this.#waking.signal }).catch(() => {});
    if (!this.#closing.signal.aborted) this.#waking = new AbortController();
  }
}
