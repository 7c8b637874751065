// Tests of the `store check` rules for servers that a test cannot start: old versions, other machines, wrong clocks.

import { expect } from 'chai';
import type { ServerFacts } from '../../src/store-check/redis/environment-rules.js';
import { serverResults } from '../../src/store-check/redis/server-rules.js';

const SAFE: ServerFacts = {
  version: '7.0.15',
  role: 'master',
  primary: undefined,
  loading: false,
  policy: 'noeviction',
  persistence: 'log',
  appendfsync: 'always',
  maxmemory: 100_000_000,
  usedMemory: 1_000_000,
  evictedKeys: 0,
  replicas: 0,
  minReplicasToWrite: 0,
  clockAheadMs: 0,
  refusedCommands: [],
  open: false,
  plain: false,
  wanted: { replicas: 0, refusal: undefined },
  births: { times: [1_700_000_000_000], missing: 0, unreadable: 0 },
  sample: { keys: 1, others: 0, whole: true },
  unanswered: [],
};

describe('the judgement on a Redis', () => {
  it('counts replicas against REDIS_MIN_REPLICAS', () => {
    const weigh = (replicas: number, refusal?: string) =>
      serverResults({ ...SAFE, replicas, wanted: { replicas: 2, refusal } }, false).find(({ message }) =>
        message.includes('REDIS_MIN_REPLICAS'),
      )?.severity;
    expect(weigh(2)).to.equal('good');
    expect(weigh(1)).to.equal('unsafe');
    expect(weigh(2, 'NOPERM no')).to.equal('unsafe');
  });

  const of = (facts: Partial<ServerFacts>) =>
    serverResults({ ...SAFE, ...facts }, false).filter(({ severity }) => severity !== 'good');

  it('finds nothing wrong with one that is as it should be', () => {
    expect(of({})).to.deep.equal([]);
  });

  const cases: readonly (readonly [what: string, facts: Partial<ServerFacts>, severity: string, text: string])[] = [
    ['a version under 6', { version: '5.0.14' }, 'warning', '5.0.14'],
    ['a version under 6.2', { version: '6.0.20' }, 'warning', '6.2 or later'],
    ['a clock that is ahead', { clockAheadMs: 60_000 }, 'warning', '60 s ahead of'],
    ['a clock that is behind', { clockAheadMs: -3_600_000 }, 'warning', '3600 s behind'],
    ['plain text to another machine', { plain: true }, 'warning', 'plain text'],
    ['little room left', { usedMemory: 90_000_000 }, 'warning', 'no logout and no refresh'],
    ['births that cannot be read', { births: { times: [], missing: 0, unreadable: 3 } }, 'warning', '3 birth records'],
    ['authentication that could not be tried', { open: undefined }, 'unknown', 'password'],
    ['data that is still being loaded', { loading: true }, 'unsafe', 'loading'],
    ['appendfsync no', { appendfsync: 'no' }, 'warning', 'appendfsync no'],
  ];
  for (const [what, facts, severity, text] of cases) {
    it(`message of ${what} what is wrong and what to do`, () => {
      const found = of(facts);
      expect(found.map((result) => result.severity)).to.deep.equal([severity]);
      expect(found[0]?.message).to.contain(text);
      expect(found[0]?.remedy).to.be.a('string').that.is.not.empty;
    });
  }

  it('message the worst first', () => {
    const weights = serverResults({ ...SAFE, plain: true, policy: undefined, open: undefined }, false).map(
      (each) => each.severity,
    );
    expect(weights.slice(0, 3)).to.deep.equal(['unsafe', 'warning', 'unknown']);
  });
});
