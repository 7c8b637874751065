// Tests of the pongs that are written by hand: they are those of the generated code, to the byte.

import { expect } from 'chai';
import fc from 'fast-check';
import { WatchRevocationsResponse } from '../../../proto/gen/auth/v1/auth_service.js';
import { pongPart, pongRest } from '../../../src/grpc/codec/feed-message.js';

const SHARDS = 256;

describe('a pong', () => {
  it('is encoded as the generated code does it, whatever its id, its time and its shards', () => {
    const ids = fc.oneof(
      fc.constantFrom(1, 127, 128, 16_383, 16_384, 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER),
      fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    );
    const shards = fc.uniqueArray(fc.nat(SHARDS - 1));
    fc.assert(
      fc.property(ids, fc.nat(2 ** 48), shards, (id, storeTimeMs, uncovered) => {
        const bytes = pongPart(id, pongRest({ storeTimeMs, uncovered: new Set(uncovered) }));
        const message = WatchRevocationsResponse.decode(bytes);
        const bits = message.pong?.uncovered ?? Buffer.alloc(0);
        const named = Array.from({ length: SHARDS }, (_, shard) => shard).filter(
          (shard) => ((bits[shard >> 3] ?? 0) >> (shard & 7)) & 1,
        );
        expect([message.pong?.id, message.pong?.storeTimeMs]).to.deep.equal([id, storeTimeMs]);
        expect(named).to.deep.equal([...uncovered].sort((a, b) => a - b));
        expect(Buffer.from(WatchRevocationsResponse.encode(message).finish()).equals(bytes)).to.equal(true);
      }),
    );
  });
});
