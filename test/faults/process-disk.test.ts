// Tests of the embedded store on a full disk: it loses no acknowledged write, and recovers by itself.

import { expect } from 'chai';
import type { TokenPair } from '../../proto/gen/auth/v1/token.js';
import { type ServiceNode, Stage } from '../e2e/stage.js';
import { claimsOf } from '../e2e/tokens.js';
import { CallFailed } from '../support/auth-client.js';
import { JWT_SECRET, runCommand } from '../support/processes.js';
import { until } from '../support/waiting.js';
import { Crew } from '../workers/crew.js';
import { type SmallDisk, smallDisk } from './small-disk.js';

const SOON_MS = 5_000;
/** The number of refused writes after which the work on the full disk ends, and the most rounds of it. */
const LEAST_REFUSED = 10;
const FEW_REFUSED = 3;
const MOST_ROUNDS = 500;

/** The answer of a call; undefined: UNAVAILABLE. */
const orUnavailable = <T>(call: Promise<T>): Promise<T | undefined> =>
  call.catch((error: unknown) => {
    if (error instanceof CallFailed && error.failure.code === 'UNAVAILABLE') return undefined;
    throw error;
  });

describe('a full disk under the embedded store', function () {
  this.timeout(120_000);
  const stage = new Stage();
  let disk: SmallDisk;
  before(async () => {
    disk = await smallDisk();
  });
  afterEach(() => stage.clear());
  after(() => disk.dispose());

  it('makes writes unavailable and lets validation go on; no acknowledged write is lost; room alone heals it', async () => {
    process.stdout.write(`      (the disk: ${disk.way})\n`);
    const serve = (): Promise<ServiceNode> => stage.serve(disk.folder, { REFRESH_GRACE: '60s' });
    const node = await serve();
    const { client } = node;
    const pid = node.process.child.pid ?? 0;
    const standing = await client.refresh((await client.issue('standing')).refreshToken);
    const ended: TokenPair[] = [];
    const refreshed: { from: TokenPair; to: TokenPair }[] = [];
    const undecided: TokenPair[] = [];
    /** Logs in twice, refreshes one of the sessions and ends the other. @returns how many of the two were refused */
    const work = async (n: number): Promise<number> => {
      const [from, out] = [await client.issue(`user ${n}`), await client.issue(`user ${n}`)];
      const startMs = performance.now();
      const to = await orUnavailable(client.refresh(from.refreshToken));
      const gone = await orUnavailable(client.logout({ refreshToken: out.refreshToken }).then(() => true as const));
      expect(performance.now() - startMs).to.be.below(SOON_MS);
      if (to) refreshed.push({ from, to });
      else undecided.push(from);
      if (gone) ended.push(out);
      return (to ? 0 : 1) + (gone ? 0 : 1);
    };
    for (let n = 0; n < 20; n++) expect(await work(n)).to.equal(0);

    disk.fill(pid);
    // Until then LMDB may use up what room it has within its file; and it finds such room again and again.
    let refused = 0;
    for (let n = 1_000; refused < LEAST_REFUSED && n < 1_000 + MOST_ROUNDS; n++) {
      refused += await work(n);
      expect(await client.verdict(standing.accessToken)).to.equal('active');
    }
    expect(refused).to.be.at.least(LEAST_REFUSED);
    const expectKept = async ({ client: at }: ServiceNode): Promise<void> => {
      for (const { accessToken } of ended) expect(await at.verdict(accessToken)).to.equal('REVOKED');
      for (const { from, to } of refreshed) expect(await at.refresh(from.refreshToken)).to.deep.equal(to);
      expect(await at.verdict(standing.accessToken)).to.equal('active');
    };
    await expectKept(node);

    disk.makeRoom(pid);
    await until(async () => (await work(9_998)) === 0);
    for (let n = 10_000; n < 10_020; n++) expect(await work(n)).to.equal(0);
    for (const { refreshToken } of undecided) {
      const pair = await client.refresh(refreshToken);
      expect(claimsOf(pair.refreshToken)['gen']).to.equal(1);
      expect(await client.refresh(refreshToken)).to.deep.equal(pair);
    }
    await expectKept(node);
    await node.process.kill();
    await expectKept(await serve());
  });

  for (const workers of ['1', '2']) {
    it(`lets a service start that finds it full (WORKERS=${workers}): it validates, says so, and goes on once there is room`, async function () {
      const small = await smallDisk();
      stage.owns(() => small.dispose());
      // The other way bounds a process that runs, not one that is to start.
      if (!small.canBeFullAtStart) this.skip();
      const first = await stage.serveHere(small.folder);
      const pair = await first.client.refresh((await first.client.issue('alice')).refreshToken);
      const gone = await first.client.issue('bob');
      await first.client.logout({ refreshToken: gone.refreshToken });
      expect(await first.process.stop()).to.equal(0);

      small.fill(0);
      const crew = await Crew.start({ env: { DATA_DIR: small.folder, WORKERS: workers }, workers: Number(workers) });
      stage.owns(() => crew.clear());
      const client = crew.client();
      expect(await client.verdict(pair.accessToken)).to.equal('active');
      expect(await client.verdict(gone.accessToken)).to.equal('REVOKED');
      const said = (message: string): number => crew.said(message).length;
      const FULL = 'the data folder cannot be written: tokens are validated, refreshes and logouts are refused';
      const refresh = async (n: number) =>
        orUnavailable(client.refresh((await client.issue(`user ${n}`)).refreshToken));
      let refused = 0;
      for (let n = 0; refused < FEW_REFUSED && n < MOST_ROUNDS; n++) if (!(await refresh(n))) refused++;
      expect(refused).to.equal(FEW_REFUSED);
      expect(said(FULL)).to.equal(Number(workers));
      expect(await client.verdict(pair.accessToken)).to.equal('active');

      small.makeRoom(0);
      await until(async () => (await orUnavailable(client.refresh(pair.refreshToken))) !== undefined);
      await until(async () => (await refresh(9_999)) !== undefined && said('the data folder can be written again') > 0);
      await crew.process.stop();
    });
  }

  it('is said of a data folder without a store: nothing can be begun there', async function () {
    const small = await smallDisk();
    stage.owns(() => small.dispose());
    if (!small.canBeFullAtStart) this.skip();
    small.fill(0);
    const env = { DATA_DIR: small.folder, JWT_SECRET, GRPC_ADDRESS: '127.0.0.1:0' };
    const { code, stderr } = await runCommand(['serve'], env);
    expect(code).to.equal(1);
    expect((JSON.parse(stderr) as { detail: string }).detail)
      .to.include(small.folder)
      .and.include('no space left');
  });
});
