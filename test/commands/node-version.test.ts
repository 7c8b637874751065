// Tests of the check of Node's version, as a function and by a process that believes to be an old Node.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { nodeVersionFault } from '../../src/commands/node-version.js';

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));

describe("Node's version", () => {
  it('is taken from the least one on', () => {
    for (const version of ['20.19.0', '20.19.1', '20.20.0', '21.0.0', '22.0.0', '24.21.0', '100.0.0']) {
      expect(nodeVersionFault(version, '>=20.19.0'), version).to.equal(undefined);
    }
    for (const version of ['20.18.9', '20.0.0', '19.99.99', '18.20.8', '9.0.0']) {
      expect(nodeVersionFault(version, '>=20.19.0'), version).to.include('Node 20.19.0 or later').and.include(version);
    }
  });

  it('that is too old ends every command with one clear line, before it does anything', () => {
    const old = "Object.defineProperty(process.versions, 'node', { value: '18.20.8' })";
    for (const command of ['serve', 'dev', '--version']) {
      const { status, stderr, stdout } = spawnSync(
        process.execPath,
        ['--import', `data:text/javascript,${encodeURIComponent(old)}`, MAIN, command],
        { encoding: 'utf8' },
      );
      expect({ status, stdout }).to.deep.equal({ status: 1, stdout: '' });
      expect(stderr).to.equal('latchkey: this is Node 18.20.8, and Latchkey needs Node 20.19.0 or later\n');
    }
  });
});
