// Tests that a service killed under load loses no acknowledged write, on both stores.

import { expect } from 'chai';
import type { TokenPair } from '../../proto/gen/auth/v1/token.js';
import { Random } from '../chaos/random.js';
import { type ServiceNode, Stage, type StoreAt } from '../e2e/stage.js';
import { claimsOf } from '../e2e/tokens.js';
import { CallFailed, failureOfCall } from '../support/auth-client.js';
import { cases } from '../support/soak.js';
import { elapse, until } from '../support/waiting.js';

const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always'];
/** How often it is killed on each store; KILLS sets another number. */
const ROUNDS = cases('KILLS', { short: 2, soak: 30 });
const CLIENTS = 12;
/** The number of refreshed sessions, some of them ended, after which the process is killed, a little later. */
const KILLED_AFTER = [1, 40] as const;
const LATER_MS = [0, 20] as const;
/** A window that no restart can use up, on a machine however slow. */
const POLICY = { REFRESH_GRACE: '60s' };
const SEED = Number(process.env['SEED'] || 1 + Math.floor(Math.random() * 1e9));

/** The answers that one client received about its sessions until the process was gone. */
interface Received {
  /** A logout of it was acknowledged. */
  readonly ended: TokenPair[];
  /** It was refreshed, and not logged out. */
  readonly refreshed: { readonly from: TokenPair; readonly to: TokenPair }[];
  /** The refresh, or the login alone, was under way or answered when the process ended; there was no logout. */
  readonly unanswered: TokenPair[];
}

/** Logs in, refreshes, and logs every other session out, until a call fails. */
async function load({ client }: ServiceNode, subject: string, received: Received): Promise<void> {
  const answered = <T>(call: Promise<T>): Promise<T | undefined> =>
    call.catch((error: unknown) => {
      if (error instanceof CallFailed) return undefined;
      throw error;
    });
  for (let n = 0; ; n++) {
    const from = await answered(client.issue(subject));
    if (!from) return;
    const to = await answered(client.refresh(from.refreshToken));
    if (!to) return void received.unanswered.push(from);
    if (n % 2 === 0) {
      received.refreshed.push({ from, to });
      continue;
    }
    const out = await answered(client.logout({ refreshToken: to.refreshToken }).then(() => true));
    // One without an answer may be over or not.
    if (!out) return;
    received.ended.push(to);
  }
}

/** Checks that every answer still holds. */
async function expectKept({ client }: ServiceNode, { ended, refreshed, unanswered }: Received): Promise<void> {
  for (const { accessToken, refreshToken } of ended) {
    expect(await client.verdict(accessToken)).to.equal('REVOKED');
    expect((await failureOfCall(client.refresh(refreshToken))).reason).to.equal('REVOKED');
  }
  for (const { from, to } of refreshed) {
    expect(await client.verdict(to.accessToken)).to.equal('active');
    expect(await client.refresh(from.refreshToken), 'the retry').to.deep.equal(to);
  }
  for (const { refreshToken, sessionId } of unanswered) {
    const pair = await client.refresh(refreshToken);
    expect(claimsOf(pair.refreshToken)).to.include({ sid: sessionId, gen: 1 });
    expect(await client.refresh(refreshToken), 'the one successor').to.deep.equal(pair);
    await client.refresh(pair.refreshToken);
  }
}

describe('a service that is killed under load', function () {
  this.timeout(60_000 + ROUNDS * 20_000);
  const stage = new Stage();
  afterEach(() => stage.clear());

  const stores: Readonly<Record<string, () => Promise<StoreAt>>> = {
    'the embedded store': () => stage.folder(),
    Redis: () => stage.redis(...DURABLE),
  };
  for (const [name, open] of Object.entries(stores)) {
    it(`at random moments (SEED=${SEED}) loses nothing on ${name}: what was acknowledged holds, retries get the one successor`, async () => {
      const random = new Random(SEED);
      const store = await open();
      let node = await stage.serve(store, POLICY);
      let acknowledged = 0;
      for (let round = 0; round < ROUNDS; round++) {
        const received: Received = { ended: [], refreshed: [], unanswered: [] };
        const clients = Array.from({ length: CLIENTS }, (_, n) => load(node, `user ${round} ${n}`, received));
        const least = random.between(...KILLED_AFTER);
        await until(() => received.ended.length + received.refreshed.length >= least, 30_000);
        await elapse(random.between(...LATER_MS), 'the kill comes at a random moment');
        await node.process.kill();
        await Promise.all(clients);
        node = await stage.serve(store, POLICY);
        await expectKept(node, received);
        acknowledged += received.ended.length + received.refreshed.length;
      }
      expect(acknowledged).to.be.above(ROUNDS);
    });
  }
});
