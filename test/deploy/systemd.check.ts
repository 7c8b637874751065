// Checks of the systemd units by systemd itself: they are valid, and open little to the process.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { readText } from '../docs/markdown.js';

/** Of 100, by `systemd-analyze security`. Below 20 it calls a unit OK. */
const MOST_EXPOSURE = '20';

describe('the systemd units', () => {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-systemd-'));
  after(() => rmSync(folder, { recursive: true }));

  for (const name of ['latchkey.service', 'latchkey-gateway.service']) {
    it(`${name} is valid, and opens little`, function () {
      if (spawnSync('systemd-analyze', ['--version']).status !== 0) this.skip();
      const unit = join(folder, name);
      // The program need not be installed here.
      writeFileSync(unit, readText(`deploy/systemd/${name}`).replace('/usr/bin/latchkey', '/bin/true'));
      const verified = spawnSync('systemd-analyze', ['verify', '--man=no', unit], { encoding: 'utf8' });
      expect([verified.status, verified.stderr]).to.deep.equal([0, '']);
      const options = ['--offline=true', '--no-pager', `--threshold=${MOST_EXPOSURE}`];
      const judged = spawnSync('systemd-analyze', ['security', ...options, unit], { encoding: 'utf8' });
      expect(judged.status, judged.stdout + judged.stderr).to.equal(0);
    });
  }
});
