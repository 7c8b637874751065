// Tests of the header `traceparent`: which are valid, and what is passed on.

import { expect } from 'chai';
import { passedOn, traceIdIn } from '../../src/platform/trace-context.js';

const ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const GOOD = `00-${ID}-${SPAN}-01`;

describe('a trace context', () => {
  it('is valid as the recommendation says, also of a later version', () => {
    for (const good of [GOOD, `00-${ID}-${SPAN}-00`, `cc-${ID}-${SPAN}-01`, `cc-${ID}-${SPAN}-01-what-will-be`]) {
      expect(traceIdIn(good), good).to.equal(ID);
    }
    const bad = [
      ...[undefined, '', 'x', GOOD.toUpperCase(), `${GOOD}-more`, `${GOOD} `, ` ${GOOD}`, `${GOOD}, ${GOOD}`],
      ...[`ff-${ID}-${SPAN}-01`, `00-${'0'.repeat(32)}-${SPAN}-01`, `00-${ID}-${'0'.repeat(16)}-01`],
      ...[`00-${ID.slice(1)}-${SPAN}-01`, `00-${ID}-${SPAN}-1`, `cc-${ID}-${SPAN}-01-${'x'.repeat(300)}`],
    ];
    for (const each of bad) expect(traceIdIn(each), each).to.equal(undefined);
  });

  it('is passed on unchanged with its state, if that is sound', () => {
    const of = (headers: Record<string, string>) => passedOn((name) => headers[name]);
    expect(of({ traceparent: GOOD, tracestate: 'a=1,b=2' })).to.deep.equal({
      traceId: ID,
      headers: { traceparent: GOOD, tracestate: 'a=1,b=2' },
    });
    for (const tracestate of ['', 'x'.repeat(513), 'a=é', 'a=\n']) {
      expect(of({ traceparent: GOOD, tracestate }).headers, tracestate).to.deep.equal({ traceparent: GOOD });
    }
  });

  it('is made new where there is none, without the flag of one that is recorded, and without the state', () => {
    const { traceId, headers } = passedOn((name) => (name === 'tracestate' ? 'a=1' : undefined));
    expect(headers).to.have.all.keys('traceparent');
    expect(headers['traceparent']).to.match(new RegExp(`^00-${traceId}-[0-9a-f]{16}-00$`));
    expect(traceIdIn(headers['traceparent'])).to.equal(traceId);
  });
});
