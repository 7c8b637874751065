// Tests of a node's own clock, stepped by a minute while the node runs.
//
// On Redis it has no effect; the embedded store, which uses it, changes only as documented.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { type ServiceNode, Stage, type StoreAt } from '../e2e/stage.js';
import { nowS } from '../e2e/tokens.js';
import { failureOfCall } from '../support/auth-client.js';
import { until } from '../support/waiting.js';

const MINUTE_MS = 60_000;
/** Back and forth, and home again. */
const STEPS_MS = [MINUTE_MS, 0, -MINUTE_MS, MINUTE_MS, 0] as const;

describe("a node's clock that is stepped back and forth by a minute", function () {
  this.timeout(120_000);
  const stage = new Stage();
  afterEach(() => stage.clear());

  /** A node, and the way to set its clock off. */
  async function clocked(store: StoreAt, env: Record<string, string> = {}) {
    const file = join(await stage.folder(), 'clock');
    const node = await stage.serve(store, { CLOCK_FILE: file, LOG_LEVEL: 'debug', ...env }, 0);
    const step = async (shiftMs: number): Promise<void> => {
      writeFileSync(file, `${shiftMs}`);
      node.process.child.kill('SIGUSR2');
      // Each call's log line has the process's own time.
      await until(async () => {
        await node.client.verdict('no.jw.t');
        const { time } = node.process.lines().at(-1) ?? {};
        return Math.abs(Date.parse(String(time)) - Date.now() - shiftMs) < MINUTE_MS / 4;
      }, 5_000);
    };
    return { node, step };
  }

  /** Sessions that are over in each way. */
  async function overSessions({ client }: ServiceNode) {
    const out = await client.refresh((await client.issue('out')).refreshToken);
    await client.logout({ refreshToken: out.refreshToken });
    const everywhere = await client.issue('everywhere');
    await client.logout({ accessToken: everywhere.accessToken, allSessions: true });
    const cutOff = await client.issue('cut off');
    await client.revokeSubject('cut off');
    return [out, everywhere, cutOff];
  }

  it('changes nothing on Redis: tokens live as long, retries succeed, what is over is over', async () => {
    const redis = await stage.redis();
    // A minute by the wrong clock would end all of these.
    const env = { ACCESS_TTL: '40s', REFRESH_TTL: '45s', SESSION_MAX: '50s', REFRESH_GRACE: '30s' };
    const [{ node, step }, other] = [await clocked(redis, env), await stage.serve(redis, env)];
    const { client } = node;
    const over = await overSessions(node);
    let pair = await client.issue();
    for (const shiftMs of STEPS_MS) {
      const next = await client.refresh(pair.refreshToken);
      await step(shiftMs);
      for (const at of [client, other.client]) {
        expect(await at.refresh(pair.refreshToken)).to.deep.equal(next);
        expect(await at.verdict(next.accessToken)).to.equal('active');
        for (const { accessToken } of over) expect(await at.verdict(accessToken)).to.equal('REVOKED');
      }
      expect(next.accessExpiresAt).to.be.closeTo(nowS() + 40, 3);
      const login = await client.issue('cut off');
      expect(await other.client.verdict(login.accessToken)).to.equal('active');
      await client.revokeSubject('cut off');
      expect(await other.client.verdict(login.accessToken)).to.equal('REVOKED');
      pair = next;
    }
  });

  it('revives no ended session on the embedded store, nor logs a user out, and a revocation misses no session', async () => {
    const folder = await stage.folder();
    const { node, step } = await clocked(folder, { REFRESH_GRACE: '90s' });
    const { client } = node;
    const over = await overSessions(node);
    let pair = await client.issue();
    for (const shiftMs of STEPS_MS) {
      const next = await client.refresh(pair.refreshToken);
      const before = await client.issue('revoked');
      await step(shiftMs);
      expect(await client.refresh(pair.refreshToken), 'a retry over the step').to.deep.equal(next);
      expect(await client.verdict(next.accessToken)).to.equal('active');
      for (const { accessToken, refreshToken } of over) {
        expect(await client.verdict(accessToken)).to.equal('REVOKED');
        expect((await failureOfCall(client.refresh(refreshToken))).reason).to.equal('REVOKED');
      }
      await client.revokeSubject('revoked');
      expect(await client.verdict(before.accessToken)).to.equal('REVOKED');
      expect(await client.verdict((await client.issue('revoked')).accessToken)).to.equal('active');
      pair = next;
    }
    // A start at another time is a step, too.
    for (const clockMs of [MINUTE_MS, -MINUTE_MS]) {
      const again = await stage.serve(folder, { REFRESH_GRACE: '90s' }, clockMs);
      for (const { accessToken } of over) expect(await again.client.verdict(accessToken)).to.equal('REVOKED');
      expect(await again.client.verdict(pair.accessToken)).to.equal('active');
    }
  });

  it('takes on the embedded store what is a minute old by that clock for a minute old', async () => {
    const { node, step } = await clocked(await stage.folder(), { ACCESS_TTL: '40s', REFRESH_GRACE: '10s' });
    const { client } = node;
    const first = await client.issue();
    const next = await client.refresh(first.refreshToken);
    const late = await client.issue('late');
    await client.refresh(late.refreshToken);
    await step(MINUTE_MS);
    expect(await client.verdict(next.accessToken)).to.equal('EXPIRED');
    expect((await failureOfCall(client.refresh(late.refreshToken))).reason).to.equal('REUSED');
    const { refreshToken } = await client.refresh(next.refreshToken);
    await step(0);
    expect(await client.verdict(next.accessToken)).to.equal('active');
    await client.refresh(refreshToken);
  });
});
