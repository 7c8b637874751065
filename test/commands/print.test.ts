// Tests of how commands print: a result is written whole or the command fails; messages begin with the name.

import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { expect } from 'chai';
import { launch, runCommand } from '../support/processes.js';

describe('a command', () => {
  it('fails if its result cannot be written, and says so', async () => {
    const full = openSync('/dev/full', 'w');
    const { child, stderr } = launch(['--help'], { env: {}, stdout: full });
    closeSync(full);
    const [code] = await once(child, 'close');
    expect(code).to.equal(1);
    expect(stderr()).to.match(/^latchkey: the result cannot be written: ENOSPC[^\n]*\n$/);
  });

  it('ends silently if its result is not read', async () => {
    const { child, stderr } = launch(['--help'], { env: {} });
    child.stdout?.destroy();
    const [code] = await once(child, 'exit');
    expect([code, stderr()]).to.deep.equal([1, '']);
  });

  it('begins a message with its name, and sets further lines in', async () => {
    const { stdout, stderr } = await runCommand(['store', 'check'], { REDIS_URL: 'x', GRPC_ADDRESS: 'x' });
    expect(stdout).to.equal('');
    const [first, ...further] = stderr.trimEnd().split('\n');
    expect(first).to.match(/^latchkey: /);
    expect(further).to.have.length.at.least(1);
    for (const line of further) expect(line).to.match(/^ {2}/);
  });

  it('never prints a credential that no header may have', async () => {
    const ISSUER_TOKEN = `${'open sesame '.repeat(4)}\u00a0x`;
    const { code, stderr } = await runCommand(['token', 'issue', '--subject', 'x'], { ISSUER_TOKEN });
    expect(code).to.equal(1);
    expect(stderr).to.include('ISSUER_TOKEN').and.not.include('sesame').and.not.include('    at ');
  });
});
