// Tests of tracing without an SDK of OpenTelemetry: nothing is traced, and nothing costs.

import { execFileSync } from 'node:child_process';
import { expect } from 'chai';

const TRACING = new URL('../../src/platform/tracing.js', import.meta.url).href;
const API = import.meta.resolve('@opentelemetry/api');

/** What a fresh process finds to trace with. @param before what it runs first */
function foundAfter(before: string): string {
  const program = `${before}
    const { Tracing } = await import(${JSON.stringify(TRACING)});
    console.log(typeof Tracing.find());`;
  return execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' }).trim();
}

describe('tracing', () => {
  it('finds nothing to trace with where no SDK was loaded', () => {
    expect(foundAfter('')).to.equal('undefined');
  });

  it('finds the provider that an SDK has registered before', () => {
    const register = `const api = (await import(${JSON.stringify(API)})).default;
      api.trace.setGlobalTracerProvider({ getTracer: () => ({ startSpan: () => undefined }) });`;
    expect(foundAfter(register)).to.equal('object');
  });
});
