// What a node knows of ends, keys and settings, encoded for all streams.

import type { FeedReader } from '../../core/feed/feed-reader.js';
import type { ShardStates } from '../../core/feed/shard-states.js';
import type { Policy } from '../../core/policy.js';
import type { Keys, PublicKey } from '../../core/ports.js';
import { keysPart, revocationPart, settingsPart } from '../codec/feed-message.js';
import type { FeedSource } from './watcher.js';

/** The most bytes of entries in one message. */
const MESSAGE_BYTES = 64 * 1024;

export interface FeedContentParts {
  readonly reader: FeedReader;
  readonly keys: Pick<Keys, 'publicKeys'>;
  readonly policy: Policy;
  /** The number of shards. */
  readonly shards: number;
}

interface Encoded {
  readonly after: number;
  readonly to: number;
  readonly bytes: Buffer;
  readonly last: number;
}

export class FeedContent implements FeedSource {
  readonly settings: Buffer;
  readonly #parts: FeedContentParts;
  #publicKeys: readonly PublicKey[] | undefined;
  #keys: Buffer = Buffer.alloc(0);
  /** The last encoded entries: most streams are at the same position. */
  #encoded: Encoded = { after: -1, to: -1, bytes: Buffer.alloc(0), last: 0 };

  constructor(parts: FeedContentParts) {
    this.#parts = parts;
    this.settings = settingsPart(parts.policy, parts.shards);
  }

  get states(): ShardStates {
    return this.#parts.reader.states;
  }

  get last(): number {
    return this.#parts.reader.window.last;
  }

  get keys(): Buffer {
    const publicKeys = this.#parts.keys.publicKeys();
    if (publicKeys === this.#publicKeys) return this.#keys;
    this.#publicKeys = publicKeys;
    const keys = keysPart(publicKeys);
    if (!keys.equals(this.#keys)) this.#keys = keys;
    return this.#keys;
  }

  entriesAfter(number: number): { readonly bytes: Buffer; readonly last: number } {
    const to = this.last;
    if (this.#encoded.after === number && this.#encoded.to === to) return this.#encoded;
    const pieces: Buffer[] = [];
    let [size, last] = [0, to];
    let before = number;
    for (const [each, entry] of this.#parts.reader.window.after(number)) {
      const piece = revocationPart(entry);
      if (size + piece.length > MESSAGE_BYTES) {
        last = before;
        break;
      }
      pieces.push(piece);
      size += piece.length;
      before = each;
    }
    this.#encoded = { after: number, to, bytes: Buffer.concat(pieces), last };
    return this.#encoded;
  }
}
