// Tests of the alerts by a real Prometheus that scrapes real processes: in each fault those fire that should, and no other.

import { execFileSync, spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { ROOT } from '../docs/markdown.js';
import { scrape } from '../monitoring/scrape.js';
import { holdsFor, until } from '../support/waiting.js';
import { Scene } from './scene.js';

/** How long an alert may take to fire, or to end: its range and its `for`, a few scrapes, and a busy machine. */
const SOON_MS = 60_000;
const CALM_MS = 8_000;

describe('the alerts', function () {
  this.timeout(3 * SOON_MS);
  let scene: Scene;
  before(async () => {
    scene = await Scene.start();
  });
  after(() => scene.clear());

  /** Waits until these fire, and sees that no other does meanwhile. */
  async function expectFiring(wanted: readonly string[]): Promise<void> {
    const sorted = [...wanted].sort();
    let firing: readonly string[] = [];
    const isFiring = async (): Promise<boolean> => {
      firing = await scene.prometheus.firing();
      expect(firing.filter((name) => !sorted.includes(name))).to.deep.equal([]);
      return firing.length >= sorted.length;
    };
    await until(isFiring, SOON_MS, { seen: () => firing });
    expect(firing).to.deep.equal(sorted);
  }

  /** Waits until none fires. */
  const expectCalm = (): Promise<number> => until(async () => (await scene.prometheus.firing()).length === 0, SOON_MS);

  it('are valid rules, of which those that no fault here brings fire by their series', () => {
    for (const args of [
      ['check', 'rules', 'deploy/prometheus/alerts.yaml'],
      ['test', 'rules', 'test/alerts/rules.yaml'],
    ]) {
      const output = execFileSync('promtool', args, { cwd: ROOT, encoding: 'utf8' });
      expect(output).to.include('SUCCESS');
    }
  });

  it('are about metrics that Prometheus finds no fault in', async () => {
    for (const { process } of [scene.auth, scene.gateway]) {
      const { text } = await scrape(process);
      const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
      expect([status, stdout, stderr]).to.deep.equal([0, '', '']);
    }
  });

  it('are silent while all is well', async () => {
    await holdsFor(CALM_MS, async () => {
      expect(await scene.prometheus.firing()).to.deep.equal([]);
    });
  });

  it('fire for misuse', async () => {
    await scene.misuse();
    await expectFiring(['LatchkeyRefreshTokensReused', 'LatchkeyUnknownKeys', 'LatchkeyIssuerRefused']);
    await expectCalm();
  });

  it('fire for an overload', async () => {
    const fired = expectFiring(['LatchkeyOverloaded']);
    await scene.flood(fired);
    await fired;
    await expectCalm();
  });

  it('fire for lost writes', async () => {
    await scene.loseWrites();
    await expectFiring(['LatchkeyStoreLostWrites', 'LatchkeySessionsLost']);
    await expectCalm();
  });

  it('fire for a store that is full, and for one that is gone, each for its own', async () => {
    await scene.redis.raw.config('SET', 'maxmemory', '1');
    await expectFiring(['LatchkeyStoreRefusesWrites', 'LatchkeyGatewayErrors']);
    await scene.redis.raw.config('SET', 'maxmemory', '0');
    await expectCalm();
    scene.pause();
    await scene.redis.raw.save();
    await scene.redis.kill();
    scene.resume();
    await expectFiring(['LatchkeyStoreUnreachable', 'LatchkeyGatewayErrors']);
    await scene.redis.restart();
    await expectCalm();
  });

  it('fire for a process that is gone', async () => {
    await scene.gateway.process.kill();
    await expectFiring(['LatchkeyDown']);
  });
});
