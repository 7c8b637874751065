// Random histories of a changing primary, observed by several processes through voters: late, with gaps, in order.

import {
  LEASE_MS,
  PrimaryLease,
  TAKEOVER_DELAY_MS,
  type Vote,
} from '../../../src/adapters/redis/topology/primary-lease.js';
import type { Random } from '../../chaos/random.js';

const END_MS = 12_000;
const SERVERS = ['X', 'Y', 'Z'];
/** How much faster or slower than true time a process's clock may run. */
const DRIFT = 0.01;
const PROCESSES = 3;
/** Processes ask long before the first switch. */
const BEGIN_MS = -3_000;

export interface HistoryShape {
  /** How many voters there are. */
  readonly voters: number;
  /** Whether the servers are voters themselves and give their place away, as nodes of a cluster do. */
  readonly cluster: boolean;
}

/** The time for which a server has its place. All times are true times, which no process knows, ms. */
interface Reign extends Vote {
  readonly startMs: number;
  /** The one before gave the place away by itself. */
  readonly planned: boolean;
}

/** A process used what a server had by a reign. */
interface Use {
  readonly atMs: number;
  /** The reign that the server had. */
  readonly epoch: number;
  /** The one by which the process used it: that, or one before it. */
  readonly namedEpoch: number;
}

export interface HistoryResult {
  /** A use of an older reign after a newer one was used, in words; undefined: there is none. */
  readonly violation: string | undefined;
  /** How many reigns were used. */
  readonly used: number;
  /** A server got its place back sooner than a lease after it had lost it, and was used by that. */
  readonly quickFailback: boolean;
  /** A voter learned of a switch more than a lease after it. */
  readonly lagging: boolean;
  /** A successor was used before its takeover delay was over. */
  readonly handedOver: boolean;
}

/** When each voter has learned of each reign; it may skip some, and never goes back. */
type Learned = ReadonlyMap<string, readonly { readonly reign: Reign; readonly atMs: number }[]>;

export function runHistory(random: Random, shape: HistoryShape): HistoryResult {
  const reigns = someReigns(random, shape.cluster);
  const learned = someVoters(random, shape, reigns);
  const uses = Array.from({ length: PROCESSES }, () => runProcess(random, reigns, learned, shape.cluster)).flat();
  uses.sort((a, b) => a.atMs - b.atMs);
  let newest = 0;
  let violation: string | undefined;
  for (const { epoch, namedEpoch, atMs } of uses) {
    if (epoch < newest) violation ??= `epoch ${epoch} is used after ${newest}, at ${atMs}: ${JSON.stringify(reigns)}`;
    newest = Math.max(newest, namedEpoch);
  }
  const usedEpochs = new Set(uses.map(({ epoch }) => epoch));
  const first = (epoch: number): number => uses.find((use) => use.epoch === epoch)?.atMs ?? Number.POSITIVE_INFINITY;
  return {
    violation,
    used: usedEpochs.size,
    quickFailback: reigns.some(
      (reign, n) => usedEpochs.has(reign.epoch) && lostAgoMs(reigns.slice(0, n), reign) < LEASE_MS,
    ),
    lagging: [...learned.values()].flat().some(({ reign, atMs }) => atMs < END_MS && atMs - reign.startMs > LEASE_MS),
    handedOver: reigns.some(({ planned, epoch, startMs }) => planned && first(epoch) < startMs + TAKEOVER_DELAY_MS / 2),
  };
}

/** How long before a reign its server has lost its place; a server that never had it has not lost it. */
function lostAgoMs(earlier: readonly Reign[], { server, startMs }: Reign): number {
  const last = earlier.findLastIndex((each) => each.server === server);
  const next = earlier[last + 1];
  return last < 0 || !next ? Number.POSITIVE_INFINITY : startMs - next.startMs;
}

function someReigns(random: Random, cluster: boolean): readonly Reign[] {
  const reigns: Reign[] = [{ server: 'X', epoch: 1, startMs: Number.NEGATIVE_INFINITY, planned: false }];
  let startMs = random.between(500, 3_000);
  while (startMs < END_MS - 2_000) {
    const before = reigns.at(-1);
    const reign: Reign = {
      server: random.pick(SERVERS.filter((server) => server !== before?.server)),
      epoch: reigns.length + 1,
      startMs,
      planned: cluster && random.chance(0.6),
    };
    if (!(cluster && isExcluded(before, reign))) reigns.push(reign);
    startMs += random.chance(0.5) ? random.between(20, LEASE_MS) : random.between(LEASE_MS, 4_000);
  }
  return reigns;
}

/** What the lease assumes where servers are voters: two changes, of which one is a failover, are more than a lease apart. */
const isExcluded = (before: Reign | undefined, { planned, startMs }: Reign): boolean =>
  before !== undefined && !(before.planned && planned) && startMs - before.startMs < LEASE_MS * (1 + DRIFT);

function someVoters(random: Random, { voters, cluster }: HistoryShape, reigns: readonly Reign[]): Learned {
  const names = Array.from({ length: voters }, (_, n) => (cluster ? SERVERS[n] : undefined) ?? `v${n}`);
  return new Map(
    names.map((name) => {
      const slow = random.chance(0.2);
      const all = reigns.map((reign, n) => {
        const lagMs = random.between(0, random.chance(slow ? 0.8 : 0.05) ? 6_000 : 150);
        // The server that takes the place knows at once; so does the one that gives it away.
        const knows = name === reign.server || (reign.planned && name === reigns[n - 1]?.server);
        // The server that takes the place next knows where it was.
        const next = reigns[n + 1];
        const latestMs = name === next?.server ? next.startMs - 1 : Number.POSITIVE_INFINITY;
        return { reign, atMs: n === 0 || knows ? reign.startMs : Math.min(reign.startMs + lagMs, latestMs) };
      });
      // What it would learn after a newer one it never learns.
      const inOrder = all.filter(({ atMs }, n) => all.slice(n + 1).every((later) => later.atMs > atMs));
      return [name, inOrder] as const;
    }),
  );
}

function runProcess(random: Random, reigns: readonly Reign[], learned: Learned, cluster: boolean): readonly Use[] {
  const lease = new PrimaryLease();
  const voters = new Set(learned.keys());
  const [offsetMs, rate] = [random.between(-1e6, 1e6), 1 + random.between(-DRIFT, DRIFT)];
  const clock = (atMs: number): number => offsetMs + rate * atMs;
  const uses: Use[] = [];
  /** By each reign's epoch when each voter that named it was asked, by the process's clock. */
  const named = new Map(reigns.map(({ epoch }) => [epoch, new Map<string, number>()]));
  const isNamed = ({ epoch }: Reign, nowMs: number): boolean => {
    const asked = [...(named.get(epoch)?.values() ?? [])];
    return asked.filter((askedMs) => nowMs - askedMs < LEASE_MS).length > voters.size / 2;
  };
  const viewOf = (voter: string, atMs: number) => learned.get(voter)?.findLast((each) => each.atMs <= atMs)?.reign;
  const use = (atMs: number): void => {
    const server = lease.holder(clock(atMs));
    if (server === undefined) return;
    // A server behind Sentinels may not learn of its replacement. A cluster node that has learned of it answers no more.
    if (cluster && viewOf(server, atMs)?.server !== server) return;
    const has = reigns.findLast((each) => each.server === server && each.startMs <= atMs);
    // A lease may last after its server was named again by a later one.
    const by = reigns.find((each) => each.server === server && isNamed(each, clock(atMs)));
    uses.push({ atMs, epoch: has?.epoch ?? 0, namedEpoch: by?.epoch ?? has?.epoch ?? 0 });
  };
  // While it is held up it asks nothing and takes nothing in; then all that has come, at once.
  const stalls = Array.from({ length: 2 }, () => random.between(0, END_MS)).map((fromMs) => ({
    fromMs,
    toMs: fromMs + random.between(0, random.chance(0.3) ? 4_000 : 300),
  }));
  const isHeldUp = (ms: number): boolean => stalls.some(({ fromMs, toMs }) => ms >= fromMs && ms < toMs);
  const events: { readonly atMs: number; readonly happen: (atMs: number) => void }[] = [];
  for (const voter of voters) {
    for (const { askedMs, answeredMs, receivedMs } of someQuestions(random)) {
      if (isHeldUp(askedMs)) continue;
      events.push({
        atMs: receivedMs,
        happen: (atMs) => {
          const vote = viewOf(voter, answeredMs);
          if (vote) named.get(vote.epoch)?.set(voter, clock(askedMs));
          lease.record(voter, { vote, askedMs: clock(askedMs), receivedMs: clock(atMs) });
          lease.count(voters);
        },
      });
    }
  }
  for (let atMs = BEGIN_MS; atMs < END_MS; atMs += random.between(5, 100)) events.push({ atMs, happen: use });
  const handled = events.map(({ atMs, happen }) => {
    const dueMs = stalls.reduce((ms, { fromMs, toMs }) => (ms >= fromMs && ms < toMs ? toMs : ms), atMs);
    return { atMs: dueMs, cameMs: atMs, happen };
  });
  handled.sort((a, b) => a.atMs - b.atMs || a.cameMs - b.cameMs);
  for (const { atMs, happen } of handled) happen(atMs);
  return uses;
}

interface Question {
  readonly askedMs: number;
  readonly answeredMs: number;
  readonly receivedMs: number;
}

/** What a process asks one voter, one after the other; now and then an answer is late, or it does not ask for long. */
function someQuestions(random: Random): readonly Question[] {
  const questions: Question[] = [];
  for (let askedMs = random.between(BEGIN_MS, BEGIN_MS + 500); askedMs < END_MS; ) {
    const receivedMs = askedMs + random.between(0, random.chance(0.05) ? 2_500 : 60);
    questions.push({ askedMs, answeredMs: random.between(askedMs, receivedMs), receivedMs });
    askedMs = receivedMs + random.between(50, random.chance(0.05) ? 4_000 : 400);
  }
  return questions;
}
