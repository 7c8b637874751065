// Tests that workers are replaced one by one on SIGHUP, that no caller notices, and that a bad successor ends it.

import { mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { Stage } from '../e2e/stage.js';
import { claimsOf } from '../e2e/tokens.js';
import { commandHere } from '../support/command-here.js';
import { elapse, holdsFor, until } from '../support/waiting.js';
import { CREW_MS, Crew } from './crew.js';

const CLIENTS = 12;
/** Between two signals that a process is to get both of, ms. */
const APART_MS = 30;
/** How long it is looked that no other roll begins, ms. It would begin at once. */
const QUIET_MS = 500;

describe('serve with workers, on SIGHUP', function () {
  this.timeout(3 * CREW_MS);
  const stage = new Stage();
  afterEach(() => stage.clear());

  async function crewWith(env: Readonly<Record<string, string>> = {}, owner = stage): Promise<Crew> {
    const crew = await Crew.start({ env: { DATA_DIR: await owner.folder(), REFRESH_GRACE: '60s', ...env } });
    owner.owns(() => crew.clear());
    return crew;
  }

  const rolled = (crew: Crew, times: number) =>
    until(() => crew.said('all workers have been replaced').length >= times, 2 * CREW_MS);

  it('replaces them all, and no caller notices', async () => {
    const crew = await crewWith();
    let over = false;
    let calls = 0;
    /** Any failure at all fails the test: there is no second try. */
    const chain = async (n: number): Promise<void> => {
      const client = crew.client();
      let pair = await client.issue(`user ${n}`);
      for (let gen = 1; !over; gen++) {
        pair = await client.refresh(pair.refreshToken);
        expect(claimsOf(pair.refreshToken)).to.include({ sid: pair.sessionId, gen });
        expect(await client.verdict(pair.accessToken)).to.equal('active');
        calls += 2;
      }
    };
    const chains = Promise.all(Array.from({ length: CLIENTS }, (_, n) => chain(n)));
    await Promise.race([chains, until(() => calls > 100, CREW_MS)]);
    crew.signal('SIGHUP');
    await Promise.race([chains, rolled(crew, 1)]);
    expect(crew.living).to.deep.equal([3, 4]);
    const callsBefore = calls;
    await Promise.race([chains, until(() => calls > callsBefore + 100, CREW_MS)]);
    over = true;
    await chains;
    // One at a time: the second successor came when the first old one had gone.
    const order = crew.process.lines().flatMap(({ msg, worker, pid }) => {
      if (msg === 'service stopped') return [`${worker} ended`];
      return msg === 'service listening' && pid !== undefined ? [`${worker} listens`] : [];
    });
    expect(order.slice(2)).to.deep.equal(['3 listens', '1 ended', '4 listens', '2 ended']);
    expect(crew.said('a worker has ended')).to.deep.equal([]);
    expect(await crew.process.stop()).to.equal(0);
  });

  describe('again and again', () => {
    const shared = new Stage();
    const keys = { JWT_SECRET: '', JWT_KEYS_DIR: '' };
    let crew: Crew;
    before(async () => {
      keys.JWT_KEYS_DIR = join(await shared.folder(), 'keys');
      mkdirSync(keys.JWT_KEYS_DIR, { mode: 0o700 });
      expect((await commandHere(['keys', 'generate'], keys)).code).to.equal(0);
      crew = await crewWith(keys, shared);
    });
    after(() => shared.clear());

    it('stays with the old ones where the new one does not come up, and says why', async () => {
      renameSync(keys.JWT_KEYS_DIR, `${keys.JWT_KEYS_DIR}-away`);
      crew.signal('SIGHUP');
      const words = 'the new worker did not start: the other workers keep running';
      await until(() => crew.said(words).length === 1, CREW_MS);
      expect(crew.said(words)[0]).to.include({ level: 'error', worker: 3, exitCode: 1 });
      expect(crew.said(words)[0]?.['detail']).to.contain('keys');
      expect(crew.living).to.deep.equal([1, 2]);
      const client = crew.client();
      expect(await client.verdict((await client.issue()).accessToken)).to.equal('active');
      // And once that is mended, the next one goes through.
      renameSync(`${keys.JWT_KEYS_DIR}-away`, keys.JWT_KEYS_DIR);
      crew.signal('SIGHUP');
      await rolled(crew, 1);
      expect(crew.living).to.deep.equal([4, 5]);
    });

    // The last one: it ends the crew.
    it('does it once more if it comes during a roll, however often, and takes no note of it while it stops', async () => {
      const last = Math.max(...crew.living);
      const rolls = crew.said('all workers have been replaced').length;
      const begun = () => crew.said('replacing the workers one by one');
      const begunBefore = begun().length;
      crew.signal('SIGHUP');
      await until(() => begun().length === begunBefore + 1, CREW_MS);
      for (let n = 0; n < 3; n++) {
        crew.signal('SIGHUP');
        await elapse(APART_MS, 'signals that come at once are one to a process');
      }
      await rolled(crew, rolls + 2);
      await holdsFor(QUIET_MS, () => {
        expect(begun()).to.have.length(begunBefore + 2);
      });
      expect(crew.living).to.deep.equal([last + 3, last + 4]);
      crew.signal('SIGHUP');
      await until(() => begun().length === begunBefore + 3, CREW_MS);
      crew.signal('SIGHUP');
      expect(await crew.process.stop()).to.equal(0);
      expect(crew.living).to.deep.equal([]);
      expect(begun()).to.have.length(begunBefore + 3);
    });
  });
});
