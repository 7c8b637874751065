// `npm run faults`: inflicts every fault of Redis once, and prints the measurements as a Markdown table.

import { Stage } from '../e2e/stage.js';
import { JWT_SECRET, runCommand } from '../support/processes.js';
import { type Scene, setScene } from './fault-scene.js';
import { REDIS_FAULTS } from './redis-faults.js';
import type { CallKind, Made } from './round.js';
import { START_FAULTS, type StartFault, tryStart } from './start-faults.js';
import { type Trial, tryFault } from './trial.js';

const HEAD = ['Redis is …', 'ValidateToken, IssueToken', 'RefreshToken, Logout', 'by REST', 'Health', 'Whole again in'];
/** Below it, the first calls waited only for answers that the trial itself was delaying when the fault began. */
const AT_ONCE_MS = 200;
const HTTP: Readonly<Record<string, string>> = { OK: '200', UNAVAILABLE: '503' };

const print = (cells: readonly string[]): void => void process.stdout.write(`| ${cells.join(' | ')} |\n`);
const round = (ms: number): number => Math.max(1, Math.round(ms));
const longest = (some: readonly Made[]): number => Math.max(0, ...some.map(({ ms }) => ms));

/** Each answer with the median and the longest of its times. */
function timesOf(made: readonly Made[]): string {
  const answers = [...new Set(made.map(({ outcome }) => outcome))].sort();
  return answers
    .map((outcome) => {
      const times = made.filter((each) => each.outcome === outcome).map(({ ms }) => round(ms));
      const median = times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)];
      return `${outcome} in ${median} / ${Math.max(...times)} ms`;
    })
    .join(', ');
}

/** The answers of the node that the fault hits; and the first ones, if they differ or take longer. */
function cell({ atOnce, made }: Trial, kind: CallKind): string {
  const at = (some: readonly Made[]) =>
    some
      .filter((each) => each.at === 'near' && each.kind === kind)
      .map((each) => (kind === 'rest' ? { ...each, outcome: HTTP[each.outcome] ?? each.outcome } : each));
  const [first, later] = [at(atOnce), at(made)];
  const lasting = new Set(later.map(({ outcome }) => outcome));
  const others = new Set(first.map(({ outcome }) => outcome).filter((outcome) => !lasting.has(outcome)));
  const late = longest(first) > longest(later) + AT_ONCE_MS ? [`at first in ${round(longest(first))} ms`] : [];
  return [timesOf(later), ...[...others].map((outcome) => `${outcome} until it is noticed`), ...late].join('; ');
}

async function printStart(fault: StartFault, scene: Scene): Promise<void> {
  const { startedMs, made, recoveredMs } = await tryStart(fault, scene);
  const of = (kind: CallKind): string => timesOf(made.filter((each) => each.kind === kind));
  const health = `listens after ${round(startedMs)} ms, NOT_SERVING`;
  print([fault.name, of('read'), of('write'), '–', health, `${round(recoveredMs)} ms`]);
}

/** The one fault with which a node does not start at all. */
async function printRefusal({ redis }: Scene): Promise<void> {
  await redis.raw.config('SET', 'maxmemory-policy', 'allkeys-lru');
  const startMs = performance.now();
  const { code } = await runCommand(['serve'], { REDIS_URL: redis.url, JWT_SECRET, GRPC_ADDRESS: '127.0.0.1:0' });
  const end = `\`serve\` ends with ${code}, after ${round(performance.now() - startMs)} ms`;
  print(['`maxmemory-policy allkeys-lru` from the start', '–', '–', '–', end, 'its next start']);
}

const stage = new Stage();
try {
  const scene = await setScene(stage);
  print(HEAD);
  print(HEAD.map(() => '---'));
  for (const fault of REDIS_FAULTS) {
    const trial = await tryFault(fault, scene);
    if (trial.faults.length > 0) throw new Error(`${fault.name}: ${trial.faults.join('; ')}`);
    const health = trial.noticedMs === undefined ? 'SERVING' : `NOT_SERVING in ${round(trial.noticedMs)} ms`;
    const cells = (['read', 'write', 'rest'] as const).map((kind) => cell(trial, kind));
    print([fault.name, ...cells, health, `${round(trial.recoveredMs)} ms`]);
  }
  for (const fault of START_FAULTS) await printStart(fault, scene);
  await printRefusal(scene);
} finally {
  await stage.clear();
}
