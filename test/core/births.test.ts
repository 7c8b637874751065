// Tests of the birth records: which sessions they deny, to the millisecond, and how a missing record is handled.

import { expect } from 'chai';
import type { StoreKey } from '../../src/core/session/store-keys.js';
import { failure, Scene } from '../support/scene.js';
import { DAY, run, SECOND } from '../support/world.js';

const BIRTH: StoreKey = { kind: 'birth', shard: 1 };

describe('a birth record', () => {
  let scene: Scene;
  let bornMs: number;
  const adopted = (startMs: number): string => {
    const [iat, exp] = [startMs / SECOND, startMs / SECOND + 86_400];
    const payload = { token_type: 'refresh', jti: `${startMs}`, sub: 'alice', iat, exp };
    return JSON.stringify({ use: 'adopted', typ: 'JWT', payload });
  };
  const begin = async (adoptedSinceMs: number | undefined): Promise<void> => {
    scene = new Scene({ adoptedSinceMs });
    bornMs = scene.world.nowMs;
    await run(scene.world, scene.context.births.write());
    scene.world.nowMs += 3 * SECOND;
  };

  it('denies what started in its very millisecond, and not what came after', async () => {
    await begin(undefined);
    expect(await failure(scene.refresh(adopted(bornMs)))).to.equal('REVOKED');
    expect(await failure(scene.refresh(adopted(bornMs + SECOND)))).to.equal('none');
  });

  it('denies by SESSIONS_SINCE in the same way', async () => {
    await begin(50 * DAY);
    scene.context = scene.node({ adoptedSinceMs: 50 * DAY, refreshTtlMs: 100 * DAY, sessionMaxMs: 100 * DAY });
    const late = (startMs: number): string => {
      const { payload, ...rest } = JSON.parse(adopted(startMs));
      return JSON.stringify({ ...rest, payload: { ...payload, exp: payload.exp + 90 * 86_400 } });
    };
    expect(await failure(scene.refresh(late(50 * DAY)))).to.equal('REVOKED');
    expect(await failure(scene.refresh(late(50 * DAY + SECOND)))).to.equal('none');
  });

  it('of another node that was only read shows that a missing one was wiped', async () => {
    await begin(50 * DAY);
    scene.context = scene.node({ adoptedSinceMs: 50 * DAY });
    await scene.issue();
    scene.world.flush();
    await scene.issue();
    expect(scene.world.get(BIRTH)).to.match(/ born - 0$/);
  });

  it('that was found by a round alone shows it too', async () => {
    await begin(50 * DAY);
    const { births } = scene.node({ adoptedSinceMs: 50 * DAY });
    await run(scene.world, births.write());
    scene.world.flush();
    await run(scene.world, births.write());
    expect(scene.world.get(BIRTH)).to.match(/ born - 0$/);
  });

  it('that no round could read or write shows nothing', async () => {
    await begin(50 * DAY);
    scene.world.flush();
    scene.context = scene.node({ adoptedSinceMs: 50 * DAY });
    const { births } = scene.context;
    const round = births.write();
    scene.world.setReachable(false);
    expect(await failure(round)).to.equal('UNAVAILABLE');
    scene.world.setReachable(true);
    await run(scene.world, births.write());
    expect(scene.world.get(BIRTH)).to.match(/ born 4320000000 0$/);
    // What that round had begun with is written, and counts no more.
    scene.world.flush();
    await run(scene.world, births.write());
    expect(scene.world.get(BIRTH)).to.match(/ born - 0$/);
  });
});
