// `npm run bench:growth`: the same calls on stores of several sizes.

import { parseArgs } from 'node:util';
import { endWithChildren } from '../machine/cleanup.js';
import { leaveServerCore } from '../machine/cores.js';
import { Lab } from '../speed/lab.js';
import { positive } from '../speed/options.js';
import { writeReadme } from '../speed/readme.js';
import { keepResults, readResults } from '../speed/results.js';
import type { StoreKind } from '../stores/filled.js';
import { type Growth, growth, sweepOf } from './growth.js';
import { growthTable } from './table.js';

const { values } = parseArgs({
  options: {
    sessions: { type: 'string', default: '1000,1000000' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '2' },
    only: { type: 'string', default: 'redis,lmdb' },
    quick: { type: 'boolean', default: false },
  },
});
const sizes = values.sessions.split(',').map((size) => Math.round(positive('sessions', size)));
const [rounds, seconds] = [positive('rounds', values.rounds), positive('seconds', values.seconds)];

leaveServerCore();
endWithChildren();
const lab = await Lab.open({ only: undefined, rounds, seconds, quick: values.quick, peer: false });
try {
  const found: Growth[] = [];
  for (const store of (['redis', 'lmdb'] as const satisfies StoreKind[]).filter((each) => values.only.includes(each))) {
    for (const each of await growth(lab, store, sizes)) {
      found.push(store === 'lmdb' ? { ...each, swept: await sweepOf(lab, each.sessions) } : each);
    }
  }
  process.stdout.write(`${growthTable(found)}\n`);
  if (!values.quick) {
    const before = readResults();
    const others = before.growth.filter(({ store }) => found.every((each) => each.store !== store));
    keepResults({ ...before, growth: [...others, ...found] });
    const left = writeReadme();
    if (left !== undefined) process.stdout.write(`${left}\n`);
  }
} finally {
  await lab.close();
}
