// Tests of the search for an SDK of OpenTelemetry: without one nothing is traced, and nothing costs.

import { execFileSync } from 'node:child_process';
import { expect } from 'chai';

const FIND = new URL('../../src/platform/find-tracing.js', import.meta.url).href;
const API = import.meta.resolve('@opentelemetry/api');

/**
 * What a fresh process prints that has searched.
 * @param before what it runs first, with the API in `api`
 * @param after what it runs then, with what it found in `tracing`
 */
function printedBy(before: string, after = 'console.log(typeof tracing);'): string {
  const program = `${before && `const api = (await import(${JSON.stringify(API)})).default;`}
    ${before}
    const { findTracing } = await import(${JSON.stringify(FIND)});
    const tracing = await findTracing();
    ${after}`;
  return execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' }).trim();
}

describe('tracing', () => {
  it('finds nothing to trace with where no SDK was loaded', () => {
    expect(printedBy('')).to.equal('undefined');
  });

  it('finds nothing to trace with where no SDK has registered itself', () => {
    // The API is used, and its logger is set, but there is no provider.
    const prepare = 'api.trace.getTracer("other"); api.diag.setLogger({ debug() {}, warn() {}, error() {} });';
    expect(printedBy(prepare)).to.equal('undefined');
  });

  it('finds the provider that an SDK has registered before', () => {
    const register = 'api.trace.setGlobalTracerProvider({ getTracer: () => ({ startSpan: () => undefined }) });';
    expect(printedBy(register)).to.equal('object');
  });

  it('goes on without spans where the SDK fails, and says so by the logger of the API', () => {
    const fail = '() => { throw new Error("no span"); }';
    const span = `{ spanContext: () => ({ traceId: "1" }), setAttribute: ${fail}, setAttributes: ${fail}, end: ${fail} }`;
    const register = `let tracer = { startSpan: ${fail} };
      api.trace.setGlobalTracerProvider({ getTracer: () => ({ startSpan: () => tracer.startSpan() }) });
      api.propagation.setGlobalPropagator({ inject: ${fail}, extract: ${fail}, fields: () => [] });
      const said = [];
      api.diag.setLogger({ error: (text, error) => said.push(text + ": " + error.message) });`;
    const serve = `const one = () => {
        const operation = tracing.beginRequest('a call', {}, () => undefined);
        const result = operation.run(() => operation.beginCall(tracing, 'a step', {}).headers());
        operation.end({ attributes: { a: 1 }, error: 'b' });
        return result;
      };
      const results = [one()];
      tracer = { startSpan: () => (${span}) };
      results.push(one());
      console.log(JSON.stringify([results, new Set(said).size, said.length, said[0]]));`;
    const failure = 'latchkey: the SDK of OpenTelemetry failed: no span';
    // In both calls reading and writing headers fails; in the first also two starts of spans, in the second an end.
    expect(JSON.parse(printedBy(register, serve))).to.deep.equal([[{}, {}], 1, 7, failure]);
  });
});
