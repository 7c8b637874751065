// Tests of the point from which every end is emitted: once, after its acknowledgement, and never without one.

import { expect } from 'chai';
import { StoreUnavailable } from '../../src/core/errors.js';
import { MAX_UNACKNOWLEDGED, type Revocation, Revocations } from '../../src/core/events/revocations.js';
import type { Pair } from '../../src/core/session/token-pair.js';
import { failure, Scene } from '../support/scene.js';
import { type Node, SECOND } from '../support/world.js';

class EndingScene extends Scene {
  /** What was emitted, with whether the write was acknowledged by then. */
  readonly emitted: (Revocation & { readonly acknowledged: boolean })[] = [];
  acknowledgements = 0;

  override node(policy = {}): Node {
    const node = super.node(policy);
    const { acknowledge } = node.ledger;
    let acknowledged = false;
    Object.assign(node.ledger, {
      acknowledge: async (...args: Parameters<typeof acknowledge>) => {
        acknowledged = false;
        const isNew = await acknowledge.apply(node.ledger, args);
        acknowledged = true;
        this.acknowledgements++;
        return isNew;
      },
    });
    // Fields are set after the constructor of Scene, which makes the first node.
    node.revocations.subscribe((revocation) => this.emitted.push({ ...revocation, acknowledged }));
    return node;
  }

  /** The causes of the ends that were emitted, which are then forgotten. */
  causes(): string[] {
    const ends = this.emitted.splice(0);
    expect(ends.filter(({ acknowledged }) => !acknowledged)).to.deep.equal([]);
    return ends.map((end) => (end.kind === 'session' ? end.cause : 'all sessions'));
  }
}

/** A pair whose refresh token was used twice, after the grace window. */
async function usedPair(scene: Scene): Promise<Pair> {
  const pair = await scene.issue();
  await scene.refresh(pair.refreshToken);
  scene.world.nowMs += 60 * SECOND;
  return pair;
}

/** A refreshed pair whose session's entry the store has lost. */
async function lostPair(scene: Scene): Promise<Pair> {
  const { refreshToken } = await scene.issue();
  const pair = await scene.refresh(refreshToken);
  scene.world.evict(pair.sessionId);
  return pair;
}

const CAUSES: readonly {
  readonly cause: string;
  readonly prepare: (scene: Scene) => Promise<Pair>;
  readonly end: (scene: Scene, pair: Pair) => Promise<unknown>;
  /** What the caller receives: some ends are found on the way to a refusal. */
  readonly answer: string;
}[] = [
  {
    cause: 'logout',
    prepare: (scene) => scene.issue(),
    end: (scene, pair) => scene.logout('', pair.refreshToken),
    answer: 'none',
  },
  { cause: 'reuse', prepare: usedPair, end: (scene, pair) => scene.refresh(pair.refreshToken), answer: 'REUSED' },
  { cause: 'lost', prepare: lostPair, end: (scene, pair) => scene.refresh(pair.refreshToken), answer: 'REVOKED' },
  {
    cause: 'all sessions',
    prepare: (scene) => scene.issue(),
    end: (scene, pair) => scene.logout('', pair.refreshToken, true),
    answer: 'none',
  },
  {
    cause: 'all sessions',
    prepare: (scene) => scene.issue(),
    end: (scene) => scene.revokeSubject('alice'),
    answer: 'none',
  },
];

for (const [index, { cause, prepare, end, answer }] of CAUSES.entries()) {
  const title = index === CAUSES.length - 1 ? `${cause}, by the login back end` : cause;
  describe(`the end of a session by ${title}`, () => {
    let scene: EndingScene;
    let pair: Pair;
    beforeEach(async () => {
      scene = new EndingScene();
      pair = await prepare(scene);
      scene.world.nowMs += 1;
      expect(scene.causes()).to.deep.equal([]);
    });

    it('is emitted once, after its acknowledgement', async () => {
      expect(await failure(end(scene, pair))).to.equal(answer);
      expect(scene.causes()).to.deep.equal([cause]);
      // Calls that find the session ended acknowledge it, and emit nothing.
      for (let n = 0; n < 2; n++) expect(await scene.verdict(pair.accessToken)).to.match(/^REVOKED/);
      expect(await failure(scene.refresh(pair.refreshToken))).to.match(/^(REVOKED|EXPIRED)$/);
      expect(scene.causes()).to.deep.equal([]);
    });

    it('is not emitted while its acknowledgement fails, and once when a later call acknowledges it', async () => {
      scene.world.replicated = false;
      expect(await failure(end(scene, pair))).to.equal('UNAVAILABLE');
      expect(await failure(scene.verdict(pair.accessToken))).to.equal('UNAVAILABLE');
      expect(scene.causes()).to.deep.equal([]);
      scene.world.replicated = true;
      expect(await scene.verdict(pair.accessToken)).to.match(/^REVOKED/);
      expect(scene.causes()).to.deep.equal([cause]);
      expect(await scene.verdict(pair.accessToken)).to.match(/^REVOKED/);
      expect(scene.causes()).to.deep.equal([]);
    });

    for (const isWritten of [false, true]) {
      const when = isWritten ? 'by the call that finds it' : 'by the call that writes it in the end';
      it(`is emitted once if its write got no answer and was${isWritten ? '' : ' not'} made, ${when}`, async () => {
        const { bareStore } = scene.context;
        const { compareAndSet } = bareStore;
        const unanswered: typeof compareAndSet = async (...args) => {
          Object.assign(bareStore, { compareAndSet });
          if (isWritten) await compareAndSet(...args);
          throw new StoreUnavailable('no answer');
        };
        Object.assign(bareStore, { compareAndSet: unanswered });
        expect(await failure(end(scene, pair))).to.equal('UNAVAILABLE');
        expect(scene.causes()).to.deep.equal([]);
        scene.world.nowMs += 1;
        if (isWritten) expect(await scene.verdict(pair.accessToken)).to.match(/^REVOKED/);
        else expect(await failure(end(scene, pair))).to.equal(answer);
        expect(scene.causes()).to.deep.equal([cause]);
        expect(await scene.verdict(pair.accessToken)).to.match(/^REVOKED/);
        expect(scene.causes()).to.deep.equal([]);
      });
    }

    it('is emitted by the process that wrote it, and by no other that confirms it', async () => {
      const own = scene.context;
      expect(await failure(end(scene, pair))).to.equal(answer);
      scene.context = scene.node();
      expect(scene.context).not.to.equal(own);
      expect(await scene.verdict(pair.accessToken)).to.match(/^REVOKED/);
      expect(scene.causes()).to.deep.equal([cause]);
    });
  });
}

describe('a refresh', () => {
  it('emits no end', async () => {
    const scene = new EndingScene();
    const { refreshToken } = await scene.issue();
    await scene.refresh(refreshToken);
    await scene.refresh(refreshToken);
    expect(scene.acknowledgements).to.equal(2);
    expect(scene.causes()).to.deep.equal([]);
  });
});

describe('two logouts of one session at the same time', () => {
  it('emit one end', async () => {
    const scene = new EndingScene();
    const { refreshToken } = await scene.issue();
    await Promise.all([scene.logout('', refreshToken), scene.logout('', refreshToken)]);
    expect(scene.causes()).to.deep.equal(['logout']);
  });
});

describe('the revocations', () => {
  const end = (n: number): Revocation => ({ kind: 'not-before', subject: `${n}` });

  it('forget the oldest of too many ends that were not acknowledged', () => {
    const revocations = new Revocations(() => {});
    const emitted: Revocation[] = [];
    revocations.subscribe((revocation) => emitted.push(revocation));
    for (let n = 0; n <= MAX_UNACKNOWLEDGED; n++) revocations.notAcknowledged(end(n), '1 5 not-before');
    for (let n = 0; n <= MAX_UNACKNOWLEDGED; n++) revocations.confirmed(end(n), true);
    expect(emitted).to.have.length(MAX_UNACKNOWLEDGED);
    expect(emitted[0]).to.deep.equal(end(1));
    expect(revocations.hasUnacknowledged).to.equal(false);
  });

  it('emit no end again that was acknowledged before a write that got no answer', () => {
    const revocations = new Revocations(() => {});
    const emitted: Revocation[] = [];
    revocations.subscribe((revocation) => emitted.push(revocation));
    revocations.acknowledged(end(1));
    revocations.notAcknowledged(end(1), undefined);
    revocations.confirmed(end(1), false);
    expect(emitted).to.deep.equal([end(1)]);
  });

  it('report what a listener throws, and call the others', () => {
    const errors: unknown[] = [];
    const revocations = new Revocations((error) => errors.push(error));
    const emitted: Revocation[] = [];
    const bug = new Error('a bug');
    revocations.subscribe(() => {
      throw bug;
    });
    const unsubscribe = revocations.subscribe((revocation) => emitted.push(revocation));
    for (const n of [1, 2]) {
      revocations.acknowledged(end(n));
      unsubscribe();
    }
    expect([errors, emitted]).to.deep.equal([[bug, bug], [end(1)]]);
  });
});
