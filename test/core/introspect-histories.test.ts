// Random histories of one session: an introspection changes nothing, and says what RefreshToken then does.

import { expect } from 'chai';
import fc from 'fast-check';
import { introspect } from '../../src/core/use-cases/introspect.js';
import { failure, Scene } from '../support/scene.js';
import { cases } from '../support/soak.js';
import { DAY, MINUTE, POLICY, SECOND } from '../support/world.js';

const SEED = process.env['SEED'];
const RUNS = cases('HISTORIES', { short: 75, soak: 5_000 });
const PAUSES_MS = [0, SECOND, POLICY.graceMs, POLICY.graceMs + 1, MINUTE, 3 * DAY, POLICY.refreshTtlMs];

/** What happens to the session: a refresh with one of its tokens, time, an end, a loss, or an outage. */
type Step = readonly [what: 'refresh' | 'refresh' | 'wait' | 'logout' | 'cut off' | 'evict' | 'outage', which: number];
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.tuple(
    fc.constantFrom('refresh', 'refresh', 'refresh', 'wait', 'wait', 'logout', 'cut off', 'evict', 'outage'),
    fc.nat(20),
  ),
  { minLength: 1, maxLength: 12 },
);

describe('introspections in random histories', () => {
  it('change nothing, and agree with the refresh that follows', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (history) => {
        const scene = new Scene();
        const first = await scene.issue();
        const tokens = [first.refreshToken];
        for (const [what, which] of history) {
          const token = tokens[which % tokens.length] ?? first.refreshToken;
          const pauseMs = PAUSES_MS[which % PAUSES_MS.length] ?? 0;
          if (what === 'wait') scene.world.nowMs += pauseMs;
          else if (what === 'logout') await failure(scene.logout('', token));
          else if (what === 'cut off') await scene.revokeSubject('alice');
          else if (what === 'evict') scene.world.evict(first.sessionId);
          else if (what === 'outage') {
            scene.world.setReachable(false);
            scene.world.nowMs += pauseMs;
            scene.world.setReachable(true);
          } else await expectAgreement(scene, token, tokens);
        }
      }),
      { numRuns: RUNS, ...(SEED === undefined ? {} : { seed: Number(SEED) }) },
    );
  });
});

/** Introspects a token, then refreshes with it. @param tokens takes the successor */
async function expectAgreement(scene: Scene, token: string, tokens: string[]): Promise<void> {
  const before = scene.world.snapshot();
  const { active, response } = await scene.run((context, call) =>
    introspect(context, call, { token, jwtAudience: '' }),
  );
  expect(scene.world.snapshot(), 'the store').to.deep.equal(before);
  const exp = Number(JSON.parse(token).payload.exp);
  const isExpired = scene.world.nowMs >= exp * 1000;
  const traded = scene.refresh(token);
  const problem = await failure(traded);
  // A retry gets the pair also of a token that has expired since; an introspection never calls that active.
  if (isExpired) expect(active, 'an expired token').to.equal(false);
  else expect(active, problem).to.equal(problem === 'none');
  expect(Object.keys(response).length > 1).to.equal(active);
  if (problem === 'none') tokens.push((await traded).refreshToken);
}
