// The filling of a data folder: the adapter's own database, names and records, written in bulk.

import { committed, type Database, openDatabase } from '../../src/adapters/lmdb/database.js';
import { encode, keyName } from '../../src/adapters/lmdb/record.js';
import { birthOf, entryOf, type Filling, fill, keptUntilMs, type Session } from './sessions.js';

/** Entries of one transaction. */
const BATCH = 20_000;

type Entry = readonly [name: string, record: string];

const write = async (database: Database, entries: readonly Entry[]): Promise<void> => {
  await committed(
    database.transaction(() => {
      for (const [name, record] of entries) database.put(name, record);
    }),
  );
};

/** @param expired the share of entries that have expired already. @returns some of the others' sessions */
export async function fillFolder(dataDir: string, filling: Filling, expired = 0): Promise<Session[]> {
  const database = openDatabase(dataDir);
  try {
    const birth = { text: birthOf(filling.epoch, filling.sessions), endsAtMs: undefined };
    let batch: Entry[] = [[keyName({ kind: 'birth', shard: 0 }), encode(birth)]];
    let index = 0;
    const sample = await fill(filling, (session) => {
      const over = index++ % 100 >= 100 - expired * 100;
      const endsAtMs = over ? filling.epoch.bornMs : keptUntilMs(session);
      const record = encode({ text: entryOf(session, filling.kid), endsAtMs });
      batch.push([keyName({ kind: 'session', ...session }), record]);
      if (batch.length < BATCH) return undefined;
      const full = batch;
      batch = [];
      return write(database, full);
    });
    await write(database, batch);
    return sample;
  } finally {
    await database.close();
  }
}
