// Tests of the search for an SDK of OpenTelemetry: without one nothing is traced, and nothing costs.

import { execFileSync } from 'node:child_process';
import { expect } from 'chai';

const FIND = new URL('../../src/platform/find-tracing.js', import.meta.url).href;
const API = import.meta.resolve('@opentelemetry/api');

/** What a fresh process finds to trace with. @param before what it runs first, with the API in `api` */
function foundAfter(before: string): string {
  const program = `${before && `const api = (await import(${JSON.stringify(API)})).default;`}
    ${before}
    const { findTracing } = await import(${JSON.stringify(FIND)});
    console.log(typeof (await findTracing()));`;
  return execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' }).trim();
}

describe('tracing', () => {
  it('finds nothing to trace with where no SDK was loaded', () => {
    expect(foundAfter('')).to.equal('undefined');
  });

  it('finds nothing to trace with where no SDK has registered itself', () => {
    // The API is used, and its logger is set, but there is no provider.
    const prepare = 'api.trace.getTracer("other"); api.diag.setLogger({ debug() {}, warn() {}, error() {} });';
    expect(foundAfter(prepare)).to.equal('undefined');
  });

  it('finds the provider that an SDK has registered before', () => {
    const register = 'api.trace.setGlobalTracerProvider({ getTracer: () => ({ startSpan: () => undefined }) });';
    expect(foundAfter(register)).to.equal('object');
  });
});
