// Tests of the latest session start, by shard.

import { expect } from 'chai';
import { LatestSessionStart } from '../../src/core/session/latest-session-start.js';
import { failure, Scene } from '../support/scene.js';
import { MINUTE, SECOND } from '../support/world.js';

describe('the latest start', () => {
  it('is of its shard alone, and never goes back', () => {
    const starts = new LatestSessionStart();
    expect(starts.latestMs(1)).to.equal(0);
    starts.record(1, 5);
    starts.record(1, 3);
    starts.record(0, 9);
    expect([starts.latestMs(0), starts.latestMs(1), starts.latestMs(2)]).to.deep.equal([9, 5, 0]);
  });

  it('in a shard whose clock is ahead moves no cut-off in another shard', async () => {
    const scene = new Scene();
    await scene.issue('ab');
    scene.world.nowMs += MINUTE;
    const { nowMs } = scene.world;
    // Subjects of two shards. The clock of the first is an hour ahead.
    scene.world.nowMs = nowMs + 60 * MINUTE;
    await scene.issue('ab');
    scene.world.nowMs = nowMs;
    await scene.revokeSubject('abc');
    scene.world.nowMs += MINUTE;
    const iat = scene.world.nowMs / SECOND;
    const payload = { token_type: 'refresh', jti: 'j', sub: 'abc', iat, exp: iat + 86_400 };
    expect(await failure(scene.refresh(JSON.stringify({ use: 'adopted', typ: 'JWT', payload })))).to.equal('none');
  });
});
