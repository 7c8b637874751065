// The messages of WatchRevocations: parts of one response, encoded apart and joined.
//
// Fields may be encoded one after the other (protobuf: "the concatenation of two messages is their merge"). So what
// many streams get at once is encoded once.

import { Pong, type Revocation, WatchRevocationsResponse } from '../../../proto/gen/auth/v1/auth_service.js';
import type { Round } from '../../core/feed/feed-reader.js';
import type { ShardState } from '../../core/feed/shard-states.js';
import type { WindowEntry } from '../../core/feed/window.js';
import type { Policy } from '../../core/policy.js';
import type { PublicKey } from '../../core/ports.js';
import { toBuffer } from './bytes.js';
import { keySetMessage } from './key-set-message.js';

const EMPTY: WatchRevocationsResponse = {
  settings: undefined,
  keys: undefined,
  shards: [],
  revocations: [],
  caughtUp: false,
  pong: undefined,
};

const part = (fields: Partial<WatchRevocationsResponse>): Buffer =>
  toBuffer(WatchRevocationsResponse.encode({ ...EMPTY, ...fields }).finish());

/** @param shards the number of shards */
export const settingsPart = ({ issuer, audience, accessTtlMs, sessionMaxMs }: Policy, shards: number): Buffer => {
  const [accessTtlSeconds, sessionMaxSeconds] = [accessTtlMs / 1000, sessionMaxMs / 1000];
  return part({ settings: { issuer, audience: [...audience], accessTtlSeconds, sessionMaxSeconds, shards } });
};

export const keysPart = (keys: readonly PublicKey[]): Buffer =>
  part({ keys: { keys: keySetMessage({ keys, maxAgeS: 0 }).keys } });

export const shardsPart = (states: readonly ShardState[]): Buffer =>
  part({
    shards: states.map(({ shard, completeSinceMs, birth }) => ({
      ...{ shard, completeSinceMs, bornMs: birth.atMs, adoptedSinceMs: birth.adoptedSinceMs },
    })),
  });

export const revocationPart = (entry: WindowEntry): Buffer => part({ revocations: [revocation(entry)] });

export const CAUGHT_UP_PART = part({ caughtUp: true });

/** What the pongs of a round have in common: all but the id, which is omitted while it is 0. */
export const pongRest = ({ storeTimeMs, uncovered }: Round): Buffer =>
  toBuffer(Pong.encode({ id: 0, storeTimeMs, uncovered: bitsOf(uncovered) }).finish());

/** Field 6 of the response, and field 1 of the pong in it; their wire types are LEN and VARINT. */
const [PONG_TAG, ID_TAG] = [(6 << 3) | 2, 1 << 3];

/** Written by hand: a thousand streams get a pong four times a second, and only its id differs. */
export function pongPart(id: number, rest: Buffer): Buffer {
  const idBytes = varintBytes(id);
  const length = 1 + idBytes + rest.length;
  const bytes = Buffer.allocUnsafe(1 + varintBytes(length) + length);
  bytes[0] = PONG_TAG;
  const at = writeVarint(bytes, length, 1);
  bytes[at] = ID_TAG;
  rest.copy(bytes, writeVarint(bytes, id, at + 1));
  return bytes;
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes++;
  return bytes;
}

/** @returns where it ends */
function writeVarint(bytes: Buffer, value: number, from: number): number {
  let at = from;
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes[at++] = (rest % 0x80) | 0x80;
  bytes[at++] = rest;
  return at;
}

/** A bit for each shard, up to the last one that is set; the lowest bit of a byte first. */
function bitsOf(shards: ReadonlySet<number>): Buffer {
  if (shards.size === 0) return Buffer.alloc(0);
  const bits = Buffer.alloc((Math.max(...shards) >> 3) + 1);
  for (const shard of shards) bits[shard >> 3] = (bits[shard >> 3] ?? 0) | (1 << (shard & 7));
  return bits;
}

function revocation({ shard, what, notBeforeMs, atMs }: WindowEntry): Revocation {
  const id = Buffer.from(what.slice(1), 'hex');
  const named = {
    ...{ shard, atMs, sessionId: undefined, subject: undefined },
    ...{ doubtfulSessionId: undefined, doubtfulSubject: undefined },
  };
  switch (what[0]) {
    case 's':
      return { ...named, sessionId: id };
    case 'u':
      return { ...named, subject: { subject: id, notBeforeMs } };
    case 'd':
      return { ...named, doubtfulSessionId: id };
    default:
      return { ...named, doubtfulSubject: id };
  }
}
