// Tests that the history checker finds bugs of a topology, which need a failover or a move of slots, and of validators.

import { itFinds, type Planted, type Search } from './planted-search.js';
import { chaosOptions } from './settings.js';

const UNDER_WAIT: Search = { seconds: 16, store: 'cluster', only: 'failover while acknowledgements wait' };
const FAILOVER: Search = { seconds: 12, store: 'sentinel', only: 'planned failover' };
const LATE: Search = { seconds: 12, store: 'sentinel', only: 'planned failover that a node learns of late' };
const SCALE_OUT: Search = { seconds: 12, store: 'cluster', only: 'scaled out to a fresh node, and back' };
const CANCELLED: Search = { seconds: 16, store: 'cluster', only: 'migrations cancelled' };

const VALIDATORS: Search = { seconds: 16, store: 'redis', in: 'validators' };
const PAUSES: Search = { ...VALIDATORS, only: 'redis paused' };

const FEED: Search = { seconds: 16, store: 'redis', source: 'feed', clients: 8 };

const BUGS: readonly Planted[] = [
  { name: 'a window that never ends', bug: 'endless-window', rules: ['f'], search: { seconds: 12, store: 'redis' } },
  {
    name: 'acknowledgements that wait at another primary',
    bug: 'wait-elsewhere',
    rules: ['b', 'c', 'd'],
    search: UNDER_WAIT,
  },
  { name: 'no takeover delay', bug: 'no-takeover-delay', rules: ['a', 'b', 'c', 'd'], search: LATE },
  { name: 'a lease that does not end', bug: 'endless-lease', rules: ['a', 'b', 'c', 'd'], search: LATE },
  {
    name: 'reads that the owner before answers',
    bug: 'reads-at-the-old-owner',
    rules: ['a', 'b', 'c', 'd'],
    search: FAILOVER,
  },
  {
    name: 'a destination that is waited for though its migration was cancelled',
    bug: 'endless-destination',
    rules: ['e'],
    search: CANCELLED,
  },
  { name: 'no wait at a fresh node', bug: 'no-wait-at-a-fresh-node', rules: ['e'], search: SCALE_OUT },
];

const VALIDATOR_BUGS: readonly Planted[] = [
  {
    name: 'an age that is counted from the answer',
    bug: 'staleness-from-the-answer',
    rules: ['g'],
    search: VALIDATORS,
  },
  { name: 'a strict caller that joins an earlier call', bug: 'strict-joins', rules: ['g'], search: VALIDATORS },
  { name: 'an outage that is remembered as "not active"', bug: 'outage-is-remembered', rules: ['h'], search: PAUSES },
  {
    name: 'a feed whose age is measured by the monotonic clock alone',
    bug: 'trusts-the-monotonic-clock',
    rules: ['g'],
    search: { ...FEED, in: 'validators' },
  },
  { name: 'pings answered by an earlier round of reads', bug: 'rounds-are-remembered', rules: ['g'], search: FEED },
];

describe('validators of two nodes, under chaos', () => {
  const { seed } = chaosOptions(process.env);
  for (const bug of VALIDATOR_BUGS) itFinds(bug, seed);
});

describe('two nodes on replicated stores, under chaos', () => {
  const { seed } = chaosOptions(process.env);
  for (const bug of BUGS) itFinds(bug, seed);
});
