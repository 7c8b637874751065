// Tests of the ledger: acknowledged entries survive a store that loses writes, and are on replicas before the answer.

import { expect } from 'chai';
import type { Setback } from '../../src/core/durability/ledger.js';
import { LEDGER_MS, MAX_DENIALS } from '../../src/core/durability/limits.js';
import type { Pair } from '../../src/core/session/token-pair.js';
import { logout } from '../../src/core/use-cases/logout.js';
import { refresh } from '../../src/core/use-cases/refresh.js';
import { validate } from '../../src/core/use-cases/validate.js';
import { failure, Scene } from '../support/scene.js';
import { aCall, MINUTE, type Node, node, POLICY, run, SECOND, settle } from '../support/world.js';

/** A scene whose first node reports setbacks, and a second node beside it. */
class Setbacks extends Scene {
  readonly reports: Setback[] = [];
  readonly other: Node;

  constructor() {
    super();
    this.context = node(this.world.store(0), POLICY, (setback) => this.reports.push(setback));
    this.other = this.node();
  }

  /** Does something, and then makes the store forget it. @param incarnation the same one: only the count reveals the loss */
  async undo<T>(work: () => Promise<T>, incarnation = this.world.incarnation): Promise<T> {
    const snapshot = this.world.snapshot();
    const result = await work();
    this.world.goBackTo(snapshot, incarnation);
    return result;
  }

  logoutElsewhere(pair: Pair): Promise<void> {
    const request = { accessToken: '', refreshToken: pair.refreshToken, allSessions: false };
    return run(this.world, logout(this.other, aCall(), request));
  }
}

/** A store whose answers to reads can be held back: `hold` begins that, `pass` ends it and returns what releases them. */
function holdingReads(store: Node['bareStore']) {
  let held: Promise<void> | undefined;
  let release = (): void => {};
  const late =
    <Args extends unknown[], Result>(read: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      const delay = held;
      const result = await read(...args);
      await delay;
      return result;
    };
  return {
    store: Object.assign<Node['bareStore'], Partial<Node['bareStore']>>(Object.create(store), {
      read: late(store.read),
      readLogs: late(store.readLogs),
    }),
    hold(): void {
      held = new Promise((resolve) => {
        release = resolve;
      });
    },
    pass(): () => void {
      held = undefined;
      return release;
    },
  };
}

describe('a store that comes back older than it was', () => {
  let scene: Setbacks;
  let pair: Pair;
  beforeEach(async () => {
    scene = new Setbacks();
    pair = await scene.issue();
  });

  it('is noticed by its count, and an acknowledged logout holds', async () => {
    await scene.undo(() => scene.logout('', pair.refreshToken));
    expect(await scene.verdict(pair.accessToken)).to.equal('REVOKED logout');
    expect(scene.reports).to.deep.equal([
      { shards: 1, again: 1, owed: 0, remembered: 1, sinceMs: scene.world.nowMs, setbacks: 1 },
    ]);
    expect(await scene.verdict(pair.accessToken)).to.equal('REVOKED logout');
    expect(scene.reports).to.have.length(1);
  });

  it('is noticed by its name, though others have made up for the count', async () => {
    const bystander = await scene.issue();
    await scene.undo(() => scene.logout('', pair.refreshToken), 1);
    await scene.logoutElsewhere(bystander);
    expect(await scene.verdict(pair.accessToken)).to.equal('REVOKED logout');
    expect(scene.reports).to.deep.include.members([
      { shards: 0, again: 1, owed: 0, remembered: 1, sinceMs: scene.world.nowMs, setbacks: 1 },
    ]);
  });

  it('gets the rotations again: nothing is healed, and no window begins anew', async () => {
    const next = await scene.undo(() => scene.refresh(pair.refreshToken));
    scene.world.nowMs += POLICY.graceMs + SECOND;
    scene.takeEvents();
    expect(await failure(scene.refresh(pair.refreshToken))).to.equal('REUSED');
    expect(scene.takeEvents()).to.include('session_reused');
    expect(await scene.verdict(next.accessToken)).to.equal('REVOKED reuse');
  });

  it('gets the rotations again, also for the client that goes on', async () => {
    const next = await scene.undo(() => scene.refresh(pair.refreshToken));
    scene.takeEvents();
    await scene.refresh(next.refreshToken);
    expect(scene.takeEvents()).to.deep.equal(['session_refreshed']);
  });

  it('gets a cut-off again as it was: a session that began since is active', async () => {
    await scene.undo(() => scene.revokeSubject('alice'));
    scene.world.nowMs += MINUTE;
    const after = await run(scene.world, scene.other.births.write()).then(() => scene.issue());
    scene.world.nowMs += MINUTE;
    expect(await scene.verdict(pair.accessToken)).to.equal('REVOKED not-before');
    expect(await scene.verdict(after.accessToken)).to.equal('active');
  });

  it('gets what was acknowledged on the strength of a read alone', async () => {
    const rotated = await scene.issue();
    await scene.undo(async () => {
      await scene.logoutElsewhere(pair);
      await run(scene.world, refresh(scene.other, aCall(), rotated.refreshToken));
      // This node has only read what the other one wrote.
      await scene.logout('', pair.refreshToken);
      await scene.refresh(rotated.refreshToken);
    });
    expect(await scene.verdict(pair.accessToken)).to.equal('REVOKED logout');
    expect(scene.reports[0]?.again).to.equal(2);
  });

  it('keeps what is further than what was acknowledged', async () => {
    const ended = await scene.refresh((await scene.issue()).refreshToken);
    pair = await scene.refresh(pair.refreshToken);
    const [second, endedSecond] = await scene.undo(async () => [
      await scene.refresh(pair.refreshToken),
      await scene.refresh(ended.refreshToken),
    ]);
    // The clients go on at a node that knows nothing of it, and so bring the store further than it was.
    const third = await run(scene.world, refresh(scene.other, aCall(), second?.refreshToken ?? ''));
    await scene.logoutElsewhere(endedSecond ?? pair);
    expect(await scene.verdict(third.accessToken)).to.equal('active');
    expect(await scene.verdict(endedSecond?.accessToken ?? '')).to.equal('REVOKED logout');
    expect(scene.reports.map(({ again }) => again)).to.not.include(2);
    await scene.refresh(third.refreshToken);
  });

  it('gets a later birth again', async () => {
    const birth = { kind: 'birth', shard: 1 } as const;
    const old = scene.world.get(birth) ?? '';
    scene.world.nowMs += SECOND;
    scene.world.flush();
    const after = await scene.issue();
    await scene.refresh(after.refreshToken);
    const later = scene.world.get(birth);
    scene.world.put(birth, old);
    expect(await scene.verdict(pair.accessToken)).to.equal('REVOKED birth');
    // Its count is not marked: the log of the older store is not whole.
    expect(scene.world.get(birth)).to.equal(later?.replace(/ 0(\d)$/, ' $1'));
  });

  it('is not believed before all is put back', async () => {
    await scene.undo(() => scene.logout('', pair.refreshToken));
    const running = validate(scene.context, aCall(), pair.accessToken);
    await scene.step();
    scene.world.setReachable(false);
    expect(await failure(running)).to.equal('UNAVAILABLE');
    scene.world.setReachable(true);
    expect(await scene.verdict(pair.accessToken)).to.equal('REVOKED logout');
  });

  it('refuses no call but those for one entry that cannot be put back', async () => {
    const other = await scene.issue('bob');
    const { sid: sessionId } = JSON.parse(pair.refreshToken).payload;
    await scene.logout('', pair.refreshToken);
    scene.world.put({ kind: 'session', subject: 'alice', sessionId }, 'what no version wrote');
    scene.world.goBackTo(scene.world.snapshot());
    expect(await scene.verdict(other.accessToken)).to.equal('active');
    expect(scene.reports[0]).to.include({ again: 0, owed: 1 });
    expect(await failure(scene.verdict(pair.accessToken))).to.equal('UNAVAILABLE');
    scene.world.evict(sessionId);
    expect(await scene.verdict(pair.accessToken)).to.equal('REVOKED logout');
  });

  describe('and whose lost logout another call restores while the answer to a read is on its way', () => {
    let late: ReturnType<typeof holdingReads>;
    beforeEach(async () => {
      const { sid: sessionId } = JSON.parse(pair.refreshToken).payload;
      late = holdingReads(scene.world.store(0));
      scene.context = node(late.store, POLICY);
      const snapshot = scene.world.snapshot();
      await scene.logout('', pair.refreshToken);
      scene.world.goBackTo(snapshot);
      scene.world.put({ kind: 'session', subject: 'alice', sessionId }, 'what no version wrote');
      await run(scene.world, scene.context.ledger.reconcile());
      scene.world.evict(sessionId);
      late.hold();
    });

    it('denies the token of that read', async () => {
      const validation = validate(scene.context, aCall(), pair.accessToken);
      await scene.step();
      const release = late.pass();
      expect(await scene.verdict(pair.accessToken)).to.equal('REVOKED logout');
      release();
      expect(await run(scene.world, validation)).to.include({ active: false, problem: 'REVOKED', why: 'logout' });
    });

    it('covers no shard by a round that read the logs before', async () => {
      const { reader } = scene.context;
      const round = reader.round();
      await scene.step();
      await scene.step();
      const release = late.pass();
      expect(await scene.verdict(pair.accessToken)).to.equal('REVOKED logout');
      release();
      expect([...(await run(scene.world, round)).uncovered]).to.deep.equal([0, 1]);
      expect([...(await run(scene.world, reader.round())).uncovered]).to.deep.equal([]);
      expect(reader.window.size).to.equal(1);
    });
  });

  it('is looked at when it comes back, though no call asks, and what it owed is owed no more', async () => {
    const { sid: sessionId } = JSON.parse(pair.refreshToken).payload;
    const key = { kind: 'session', subject: 'alice', sessionId } as const;
    const snapshot = scene.world.snapshot();
    await scene.logout('', pair.refreshToken);
    const { ledger } = scene.context;
    scene.world.goBackTo(snapshot);
    scene.world.put(key, 'what no version wrote');
    expect(ledger.isElsewhere).to.equal(true);
    await run(scene.world, ledger.reconcile());
    expect([ledger.isElsewhere, ledger.unrestored.size]).to.deep.equal([false, 1]);
    scene.world.goBackTo(snapshot);
    await run(scene.world, ledger.reconcile());
    expect([ledger.isElsewhere, ledger.unrestored.size]).to.deep.equal([false, 0]);
    expect(scene.world.get(key)).to.match(/ ended logout$/);
    expect(scene.reports.map(({ again, owed }) => [again, owed])).to.deep.equal([
      [0, 1],
      [1, 0],
    ]);
  });

  it('gets the end of a session, though the answer to an earlier replay is taken in after that to the logout', async () => {
    const { world, context } = scene;
    const next = await scene.refresh(pair.refreshToken);
    const before = world.snapshot();
    const loggingOut = logout(context, aCall(), {
      accessToken: '',
      refreshToken: next.refreshToken,
      allSessions: false,
    });
    await scene.step();
    const replay = refresh(context, aCall(), pair.refreshToken);
    await settle();
    const [swap, read] = world.pending;
    expect([swap?.kind, read?.kind]).to.deep.equal(['swap', 'read']);
    // The replay reads before the swap; both answers are in one segment.
    read?.take();
    swap?.take();
    await Promise.all([loggingOut, replay]);
    world.goBackTo(before, world.incarnation);
    expect(await scene.verdict(next.accessToken)).to.equal('REVOKED logout');
    expect(scene.reports[0]?.again).to.equal(1);
  });

  it('is no setback where another server holds it all', async () => {
    await scene.logout('', pair.refreshToken);
    scene.world.goBackTo(scene.world.snapshot());
    expect(await scene.verdict(pair.accessToken)).to.equal('REVOKED logout');
    expect(scene.reports).to.deep.equal([]);
  });

  it('gets a logout again, though another user has repeated his own more often than there are lines', async () => {
    const other = await scene.issue();
    const snapshot = scene.world.snapshot();
    await scene.logout('', pair.refreshToken);
    for (let n = 0; n <= MAX_DENIALS; n++) await scene.logout('', other.refreshToken);
    scene.world.goBackTo(snapshot);
    expect(await scene.verdict(pair.accessToken)).to.equal('REVOKED logout');
    expect(scene.reports[0]).to.include({ again: 2, remembered: 2 });
  }).timeout(120_000);

  it('gets no more than the last ten minutes', async () => {
    const snapshot = scene.world.snapshot();
    await scene.logout('', pair.refreshToken);
    scene.world.nowMs += LEDGER_MS;
    const recent = await scene.issue();
    await scene.logout('', recent.refreshToken);
    scene.world.goBackTo(snapshot);
    expect(await scene.verdict(recent.accessToken)).to.equal('REVOKED logout');
    expect(scene.reports[0]).to.deep.include({ again: 1, remembered: 1, sinceMs: scene.world.nowMs });
  });
});

describe('an acknowledgement that too few replicas have confirmed', () => {
  let scene: Setbacks;
  beforeEach(() => {
    scene = new Setbacks();
  });

  it('is none, whether it was written for it or found written', async () => {
    const [ended, rotated, other] = [await scene.issue(), await scene.issue(), await scene.issue()];
    scene.world.replicated = false;
    for (let n = 0; n < 2; n++) {
      expect(await failure(scene.logout('', ended.refreshToken))).to.equal('UNAVAILABLE');
      expect(await failure(scene.refresh(rotated.refreshToken))).to.equal('UNAVAILABLE');
    }
    expect(await scene.verdict(other.accessToken)).to.equal('active');
    scene.world.nowMs += 1;
    for (let n = 0; n < 2; n++) {
      expect(await failure(scene.logout('', other.refreshToken, true))).to.equal('UNAVAILABLE');
      expect(await failure(scene.logout('', other.refreshToken))).to.equal('UNAVAILABLE');
    }
    expect(await failure(scene.revokeSubject('alice'))).to.equal('UNAVAILABLE');
    expect(scene.takeEvents()).to.not.include.members(['session_refreshed', 'session_replayed']);
    scene.world.replicated = true;
    await scene.logout('', ended.refreshToken);
    await scene.logout('', other.refreshToken, true);
  });

  it('is none for the logout of a session that ended long ago either: it rests on what was read', async () => {
    const old = await scene.issue();
    scene.world.nowMs += POLICY.sessionMaxMs + SECOND;
    scene.world.replicated = false;
    expect(await failure(scene.logout('', old.refreshToken))).to.equal('UNAVAILABLE');
    scene.world.replicated = true;
    await scene.logout('', old.refreshToken);
    expect(scene.world.size).to.equal(0);
  });

  for (const [what, end] of [
    ['its end', (pair: Pair) => scene.logout('', pair.refreshToken)],
    ['the cut-off of its subject', () => scene.revokeSubject('alice')],
  ] as const) {
    it(`is none for "this session is over", which rests on ${what}`, async () => {
      const pair = await scene.issue();
      scene.world.nowMs += 1;
      const bystander = await scene.issue('bob');
      scene.world.replicated = false;
      expect(await failure(end(pair))).to.equal('UNAVAILABLE');
      const questions = {
        refresh: () => failure(scene.refresh(pair.refreshToken)),
        validate: () => failure(scene.verdict(pair.accessToken)),
        'logout everywhere': () => failure(scene.logout('', pair.refreshToken, true)),
      };
      for (const [name, ask] of Object.entries(questions)) expect(await ask(), name).to.equal('UNAVAILABLE');
      expect(await scene.verdict(bystander.accessToken)).to.equal('active');
      scene.world.replicated = true;
      expect(await questions.refresh()).to.equal('REVOKED');
    });

    it(`is asked for once for a token that ${what} denies, however often it is asked about`, async () => {
      const pair = await scene.issue();
      scene.world.nowMs += 1;
      await end(pair);
      scene.context = scene.other;
      let waits = 0;
      Object.assign(scene.other.bareStore, { waitForReplicas: async () => void waits++ });
      for (let n = 0; n < 3; n++) {
        expect(await scene.verdict(pair.accessToken)).to.match(/^REVOKED/);
        expect(await failure(scene.refresh(pair.refreshToken))).to.equal('REVOKED');
      }
      expect(waits).to.equal(1);
      // Another server may have no replica that has it.
      scene.world.goBackTo(scene.world.snapshot());
      expect(await scene.verdict(pair.accessToken)).to.match(/^REVOKED/);
      expect(waits).to.equal(2);
    });

    it(`brings ${what} back after a setback, also where it was only said that the session is over`, async () => {
      const pair = await scene.issue();
      scene.world.nowMs += 1;
      const snapshot = scene.world.snapshot();
      const asker = scene.node();
      await end(pair);
      scene.context = asker;
      expect(await scene.verdict(pair.accessToken)).to.match(/^REVOKED/);
      scene.world.nowMs += LEDGER_MS - 1;
      // It counts from when it was said last.
      expect(await failure(scene.refresh(pair.refreshToken))).to.equal('REVOKED');
      scene.world.nowMs += LEDGER_MS - 1;
      scene.world.goBackTo(snapshot);
      expect(await failure(scene.refresh(pair.refreshToken))).to.equal('REVOKED');
    });
  }

  it('is not asked for by a token that is active, nor by one that was superseded', async () => {
    const first = await scene.issue();
    const second = await scene.refresh(first.refreshToken);
    await scene.refresh(second.refreshToken);
    scene.world.replicated = false;
    expect(await scene.verdict(first.accessToken)).to.equal('active');
    expect(await failure(scene.refresh(first.refreshToken))).to.equal('REUSED');
  });
});
