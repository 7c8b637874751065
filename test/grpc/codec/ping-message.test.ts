// Tests of the pings that are decoded by hand: all bytes mean what the generated code reads in them.

import { expect } from 'chai';
import fc from 'fast-check';
import { WatchRevocationsRequest } from '../../../proto/gen/auth/v1/auth_service.js';
import { withPings } from '../../../src/grpc/codec/ping-message.js';

const OTHER = 'not by hand';
const byHand = withPings(() => OTHER);
const bytesOf = (id: number, urgent: boolean): Buffer =>
  Buffer.from(WatchRevocationsRequest.encode({ start: undefined, ping: { id, urgent } }).finish());

/** What the generated code reads; undefined: it throws. */
function generated(bytes: Buffer): WatchRevocationsRequest | undefined {
  try {
    return WatchRevocationsRequest.decode(bytes);
  } catch {
    return undefined;
  }
}

describe('a ping', () => {
  it('is decoded by hand, urgent or not, up to an id that no client reaches', () => {
    for (const id of [1, 127, 128, 16_383, 16_384, 2 ** 31, 2 ** 32, 2 ** 49 - 1])
      for (const urgent of [false, true])
        expect(byHand(bytesOf(id, urgent)), `${id}`).to.deep.equal({ start: undefined, ping: { id, urgent } });
    for (const bytes of [bytesOf(2 ** 49, false), bytesOf(0, true), Buffer.from([0x0a, 0]), Buffer.alloc(0)])
      expect(byHand(bytes)).to.equal(OTHER);
  });

  it('is what the generated code reads, whatever the bytes', () => {
    const ping = fc.tuple(fc.nat(2 ** 31), fc.boolean()).map(([id, urgent]) => bytesOf(id, urgent));
    const changed = fc.tuple(ping, fc.nat(12), fc.nat(255), fc.nat(12)).map(([bytes, at, byte, length]) => {
      if (at < bytes.length) bytes[at] = byte;
      return bytes.subarray(0, length);
    });
    const nearly = fc.array(fc.constantFrom(0, 1, 2, 3, 4, 5, 8, 0x10, 0x12, 0x80, 0xff), { maxLength: 14 });
    fc.assert(
      fc.property(fc.oneof(ping, changed, nearly.map(Buffer.from)), (bytes) => {
        const result = byHand(bytes);
        if (result !== OTHER) expect(result).to.deep.equal(generated(bytes));
      }),
      { numRuns: 2_000 },
    );
  });
});
