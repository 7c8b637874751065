// Random histories of the feed: what the library knows holds its promises in every world, and the check finds planted bugs.

import { expect } from 'chai';
import { type KnownProgress, ShardProgress, type WireState } from '../../src/validator/feed/shard-progress.js';
import { cases, isSoak } from '../support/soak.js';
import { drawFrom, History } from './feed-world/history.js';
import { WORLDS, type World } from './feed-world/worlds.js';

/** How many histories a world gets; FEED_HISTORIES sets another number, SEED the first of them. */
const RUNS = cases('FEED_HISTORIES', { short: 16, soak: 6_000 });
const FIRST = Number(process.env['SEED'] ?? 1);
const SPREAD = 2_654_435_761;

/** The most histories in which a planted bug is looked for. */
const MOST_SEARCHED = 20_000;

interface Planted extends Pick<World, 'nodeFaults' | 'validatorFaults'> {
  /** The name of the world in which it shows. */
  readonly world: string;
  /** The number of a history that shows it, so that a short run need not search. */
  readonly first: number;
}

/** The first word of a new stream counts at once, before its first pong. */
class HastyProgress extends ShardProgress {
  readonly #firstMs = new Map<number, number>();

  override streamBegins(): void {
    this.#firstMs.clear();
    super.streamBegins();
  }

  override found(state: WireState): void {
    if (!this.#firstMs.has(state.shard)) this.#firstMs.set(state.shard, state.completeSinceMs);
    super.found(state);
  }

  override get(shard: number): KnownProgress | undefined {
    const pair = super.get(shard);
    return pair && { ...pair, completeSinceMs: this.#firstMs.get(shard) ?? pair.completeSinceMs };
  }
}

/** What is dropped, or the clock that is set back, raises nothing. */
class ForgetfulProgress extends ShardProgress {
  override dropped(): void {}
}
class TrustingProgress extends ShardProgress {
  override clockSetBack(): void {}
}

const PLANTED: Readonly<Record<string, Planted>> = {
  'a pong answers pings that came during the read': {
    first: 24,
    world: 'without faults',
    nodeFaults: { answersLatePings: true },
  },
  'a pong is sent before what its round has found': {
    first: 24,
    world: 'without faults',
    nodeFaults: { pongsFirst: true },
  },
  'a position is kept over a failover': {
    first: 201,
    world: 'with such failovers to clocks 5 s apart',
    nodeFaults: { keepsCursor: true },
  },
  'an end has no doubt before it while its slot is on its way': {
    first: 2,
    world: 'with slots on their way',
    nodeFaults: { noDoubt: true },
  },
  'a pong does not name the shards that could not be read': {
    first: 13,
    world: 'with a store, and shards, that are away',
    nodeFaults: { hidesUncovered: true },
  },
  'the first word of a new stream counts at once': {
    first: 5,
    world: 'with logs deleted by hand',
    validatorFaults: { parts: () => ({ progress: new HastyProgress() }) },
  },
  'what is dropped does not raise complete-since': {
    first: 638,
    world: 'with ACCESS_TTL of 5 min and of 60 min',
    validatorFaults: { parts: () => ({ progress: new ForgetfulProgress() }) },
  },
  'a clock that is set back does not raise complete-since': {
    first: 54,
    world: 'with a clock that is set',
    nodeFaults: { trustsClock: true },
    validatorFaults: { parts: () => ({ progress: new TrustingProgress() }) },
  },
  'the wall clock is not looked at': {
    first: 160,
    world: 'with validators paused, and machines suspended',
    validatorFaults: { ignoresWallClock: true },
  },
  'a retired key is kept': { first: 138, world: 'with keys that are retired', validatorFaults: { keepsKeys: true } },
};

interface Found {
  /** What was broken, and the number of the first history that broke it. */
  readonly broken: ReadonlyMap<string, number>;
  readonly said: ReadonlyMap<string, number>;
}

function histories(world: World, runs: number, { first = FIRST, endsAtFirst = false } = {}): Found {
  const broken = new Map<string, number>();
  const said = new Map<string, number>();
  for (let number = first; number < first + runs; number++) {
    const history = new History(world, drawFrom(number * SPREAD));
    for (const what of history.run()) if (!broken.has(what)) broken.set(what, number);
    for (const [what, count] of history.said) said.set(what, (said.get(what) ?? 0) + count);
    if (endsAtFirst && broken.size > 0) break;
  }
  return { broken, said };
}

describe('what a validator knows from the feed, under random histories', function () {
  this.timeout(600_000);
  let decided = 0;

  for (const [name, world] of Object.entries(WORLDS)) {
    it(`holds its promises ${name}`, () => {
      const { broken, said } = histories(world, RUNS);
      expect(Object.fromEntries(broken), 'broken, by the number of a history').to.deep.equal({});
      // It must have been asked something that it could have got wrong.
      expect(said.get('REVOKED')).to.be.above(0);
      decided += said.get('active') ?? 0;
    });
  }

  it('calls tokens active by itself in them', () => {
    expect(decided).to.be.above(RUNS * 5);
  });

  for (const [name, { world, first, ...planted }] of Object.entries(PLANTED)) {
    it(`breaks them where ${name}: the check is awake`, () => {
      const broken = histories({ ...(WORLDS[world] ?? { incidents: [] }), ...planted }, MOST_SEARCHED, {
        first: isSoak ? FIRST : first,
        endsAtFirst: true,
      }).broken;
      expect([...broken.keys()]).not.to.deep.equal([]);
    });
  }
});
