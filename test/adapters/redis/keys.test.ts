// Tests of the key names in Redis, which must never change.

import { expect } from 'chai';
import { keyNames, SHARDS, shardOf } from '../../../src/adapters/redis/keys.js';
import { makeSessionId } from '../../../src/core/token/session-id.js';

/** CRC-16/XMODEM, as the Redis Cluster specification has it. */
function crc16(text: string): number {
  let crc = 0;
  for (const byte of Buffer.from(text)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xffff;
  }
  return crc;
}

/** A Redis Cluster places a key by what is between the first braces. */
const slotOf = (key: string): number => crc16(/\{(.+?)\}/.exec(key)?.[1] ?? key) % 16_384;

const births = keyNames(Array.from({ length: SHARDS }, (_, shard) => ({ kind: 'birth', shard }) as const));

describe('keys in Redis', () => {
  it('are placed by a checksum that this test knows', () => {
    expect(crc16('123456789')).to.equal(0x31c3);
  });

  it('are spread over 64 slots, evenly spaced', () => {
    const slots = births.map(slotOf);
    expect(slots).to.have.length(64);
    expect(slots).to.deep.equal(Array.from({ length: 64 }, (_, i) => i * 256 + 127));
  });

  it('of a subject are all in the slot of its shard', () => {
    const sessionId = makeSessionId(1_700_000_000_000, new Uint8Array(10));
    for (const subject of ['ann', 'bob', '{x}', '}', 'é😀\n', 'x'.repeat(255)]) {
      const keys = keyNames([
        { kind: 'session', subject, sessionId },
        { kind: 'not-before', subject },
        { kind: 'birth', shard: shardOf(subject) },
      ]);
      expect(new Set(keys.map(slotOf)).size, subject).to.equal(1);
    }
  });

  it('are what they have always been', () => {
    const sessionId = makeSessionId(1_700_000_000_000, new Uint8Array(10));
    const keys = keyNames([
      { kind: 'session', subject: 'ann', sessionId },
      { kind: 'not-before', subject: 'ann' },
      { kind: 'birth', shard: 0 },
      { kind: 'not-before', subject: 'é😀' },
    ]);
    expect(keys).to.deep.equal([
      'lk:1:{g4r}:s:018bcfe5-6800-7000-8000-000000000000',
      'lk:1:{g4r}:u:49915e0d7d4b402e3017d010bc1c0e83',
      'lk:1:{41y}:born',
      'lk:1:{cmu}:u:1184d1f608158eea09d2975655758922',
    ]);
  });

  it('hold subjects in every shard', () => {
    const shards = Array.from({ length: 2_000 }, (_, i) => shardOf(`user ${i}`));
    expect(new Set(shards).size).to.equal(SHARDS);
  });
});
