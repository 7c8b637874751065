// Tests that a profile's shares belong to the calling code, and count neither the time before the start nor idle time.

import { existsSync } from 'node:fs';
import { expect } from 'chai';
import { OWNERS, type Profile, sharesOf } from '../../bench/profile/shares.js';

const node = (id: number, functionName: string, url: string, ...children: readonly number[]) => ({
  id,
  callFrame: { functionName, url },
  children,
});

/** A root; gRPC that calls the reading of a token, which calls a driver; the collector; idling. */
const NODES: Profile['nodes'] = [
  node(1, '(root)', '', 2, 5, 6),
  node(2, 'onReceiveHalfClose', 'file:///x/node_modules/@grpc/grpc-js/build/src/server.js', 3),
  node(3, 'authenticate', 'file:///x/dist/src/core/use-cases/authenticate.js', 4),
  node(4, 'digest', 'node:internal/crypto/hash'),
  node(5, '(garbage collector)', ''),
  node(6, '(idle)', ''),
];
const profile = (...taken: readonly (readonly [id: number, us: number])[]): Profile => ({
  nodes: NODES,
  samples: taken.map(([id]) => id),
  timeDeltas: taken.map(([, us]) => us),
});

describe('the shares of a profile', () => {
  it('belong to the callers that are known, and all else to gRPC', () => {
    const shares = sharesOf(profile([2, 500], [4, 300], [3, 100], [5, 100]), 0);
    expect(shares.map(({ owner, share }) => [owner.split(':')[0], share])).to.deep.equal([
      ['gRPC and HTTP/2', 0.5],
      ['reading a token', 0.4],
      ['the garbage collector', 0.1],
    ]);
  });

  it('are distinguished by files that are there', () => {
    const named = OWNERS.flatMap(([, { source }]) => [...source.matchAll(/\\\/src((?:\\\/[\w-]+)+)\\\.js/g)]);
    const files = named.map(([, path = '']) => `../../src${path.replaceAll('\\/', '/')}.js`);
    expect(files).to.include.members(['../../src/grpc/call-log.js', '../../src/core/durability/ledger.js']);
    for (const file of files) expect(existsSync(new URL(file, import.meta.url)), file).to.equal(true);
  });

  it('are of what was worked after the start', () => {
    const shares = sharesOf(profile([5, 2_000], [6, 9_000], [4, 1_000]), 3);
    expect(shares).to.deep.equal([{ owner: 'reading a token: form, signature, claims', share: 1 }]);
    expect(sharesOf(profile([6, 10]), 0)).to.deep.equal([]);
  });
});
