// Tests that reads of one turn see all writes that ended before the reads were requested, of any process.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { openDatabase } from '../../../src/adapters/lmdb/database.js';
import { ReadTurn } from '../../../src/adapters/lmdb/read-turn.js';
import { keyName } from '../../../src/adapters/lmdb/record.js';
import { elapse } from '../../support/waiting.js';
import { LmdbWorld } from './lmdb-world.js';

const CHILD = fileURLToPath(new URL('./child.js', import.meta.url));

describe('a turn of reads', () => {
  it('sees what another process wrote a moment after the last read of this one', async () => {
    const world = await LmdbWorld.create();
    const database = openDatabase(world.dataDir);
    try {
      const reads = new ReadTurn(database, Date.now);
      const name = keyName({ kind: 'not-before', subject: 'user 0' });
      // The driver gives a snapshot up by a timer. From within a timer, the turn's reads come before that.
      await elapse(1, 'what follows runs within a timer');
      expect(database.get(name)).to.equal(undefined);
      spawnSync(process.execPath, [CHILD, world.dataDir, 'write', '1']);
      const [text] = await reads.read([name]);
      expect(text).to.be.a('string');
    } finally {
      await database.close();
      await world.dispose();
    }
  });
});
