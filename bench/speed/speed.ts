// Owns `npm run bench`: what Latchkey's calls cost beside bare ones.

import { fine, finer, table, whole } from '../figures.js';
import { leaveServerCore } from '../machine/cores.js';
import { Lab } from './lab.js';
import { readOptions } from './options.js';
import { SCENARIOS } from './scenarios.js';

const options = readOptions(
  process.argv.slice(2),
  SCENARIOS.map(({ name }) => name),
);
leaveServerCore();
const lab = await Lab.open(options);
try {
  for (const scenario of SCENARIOS.filter(({ name }) => options.only?.includes(name) ?? true)) {
    const rows = await scenario.run(lab);
    process.stdout.write(
      `${table(
        [
          'what',
          'calls/s',
          'base',
          'rate',
          '',
          '',
          'cpu us',
          'base',
          'ratio',
          '',
          '',
          'p50',
          'p99',
          'base p50',
          'others',
        ],
        rows.map((r) => [
          r.id,
          whole(r.figures.callsPerS),
          whole(r.base.callsPerS),
          finer(r.rate.median),
          finer(r.rate.least),
          finer(r.rate.most),
          fine(r.figures.cpuUs),
          fine(r.base.cpuUs),
          finer(r.cpu.median),
          finer(r.cpu.least),
          finer(r.cpu.most),
          fine(r.figures.p50Ms),
          fine(r.figures.p99Ms),
          fine(r.base.p50Ms),
          finer(r.figures.othersCpu),
        ]),
      )}\n`,
    );
  }
} finally {
  await lab.close();
}
