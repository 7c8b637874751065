// One stream of WatchRevocations: a position in what the node knows. Nothing waits for a slow reader but its position.

import type { ShardStates } from '../../core/feed/shard-states.js';
import { CAUGHT_UP_PART, pongPart, shardsPart } from '../codec/feed-message.js';

/** What all streams read. */
export interface FeedSource {
  readonly states: ShardStates;
  /** The number of the last entry. */
  readonly last: number;
  readonly settings: Buffer;
  /** Another object if the keys have changed. */
  readonly keys: Buffer;
  /** The entries after a number, encoded, as many as fit; and the number of the last of them. */
  entriesAfter(number: number): { readonly bytes: Buffer; readonly last: number };
}

/** What a round answers to all pings that were there when it began. */
export interface RoundPong {
  /** All but the id, encoded. */
  readonly rest: Buffer;
  /** The number of the last entry when the round ended. */
  readonly last: number;
}

export class Watcher {
  readonly #source: FeedSource;
  /** The number of the last entry that was sent. */
  #position = 0;
  #stateVersion = 0;
  #sentKeys: Buffer | undefined;
  /** Where it has caught up; undefined: it has. */
  #startedAt: number | undefined;
  /** The last ping, and the last one that was there when the present round began; 0: none. */
  #pingId = 0;
  #roundPingId = 0;
  #answeredId = 0;
  #pong: { readonly id: number; readonly round: RoundPong } | undefined;

  constructor(source: FeedSource) {
    this.#source = source;
    this.#startedAt = source.last;
  }

  /** Takes a ping. @returns false if its id is not higher than the one before */
  ping(id: number): boolean {
    if (id <= this.#pingId) return false;
    this.#pingId = id;
    return true;
  }

  roundBegins(): void {
    this.#roundPingId = this.#pingId;
  }

  /** The pings that were there when the round began are answered, once all that it found has been sent. */
  roundEnded(round: RoundPong): void {
    if (this.#roundPingId === this.#answeredId) return;
    this.#answeredId = this.#roundPingId;
    this.#pong = { id: this.#roundPingId, round };
  }

  /** The next message; undefined: there is nothing to send. */
  next(): Buffer | undefined {
    const { settings, keys, states, last } = this.#source;
    // The usual case: a thousand streams are asked forty times a second, and get nothing, or a pong alone.
    const isUpToDate = this.#position >= last && this.#stateVersion === states.version && this.#sentKeys === keys;
    if (isUpToDate && this.#startedAt === undefined) return this.#takePong();
    const parts: Buffer[] = [];
    if (!this.#sentKeys) parts.push(settings);
    if (this.#sentKeys !== keys) parts.push(keys);
    this.#sentKeys = keys;
    const changed = states.after(this.#stateVersion);
    if (changed.length > 0) parts.push(shardsPart(changed));
    this.#stateVersion = states.version;
    if (this.#position < last) {
      const entries = this.#source.entriesAfter(this.#position);
      this.#position = entries.last;
      if (entries.bytes.length > 0) parts.push(entries.bytes);
    }
    if (this.#startedAt !== undefined && this.#position >= this.#startedAt) {
      this.#startedAt = undefined;
      parts.push(CAUGHT_UP_PART);
    }
    const pong = this.#startedAt === undefined ? this.#takePong() : undefined;
    if (pong) parts.push(pong);
    return parts.length > 1 ? Buffer.concat(parts) : parts[0];
  }

  /** The pong that is due, if what its round has found was sent; undefined: none. */
  #takePong(): Buffer | undefined {
    const pong = this.#pong;
    if (!pong || this.#position < pong.round.last) return undefined;
    this.#pong = undefined;
    return pongPart(pong.id, pong.round.rest);
  }
}
