// Reads of the logs: the answers of Redis as pages, and all logs of one server at once.

import type { Redis } from 'ioredis';
import { StoreUnavailable } from '../../core/errors.js';
import { PAGE_ENTRIES } from '../../core/feed/limits.js';
import { type LogEntry, type LogPage, parseLogEntry } from '../../core/feed/log-entry.js';
import { type EncodedCommand, encodeCommand, sendEncoded } from './encoded-command.js';
import { birthName, logName, SHARDS } from './keys.js';
import { isRawEntries, type RawEntry } from './log-read-script.js';
import { inOnePiece } from './script.js';

const LOGS = Array.from({ length: SHARDS }, (_, shard) => logName(shard));
const BIRTHS = Array.from({ length: SHARDS }, (_, shard) => birthName(shard));
const FROM_START = '0';
/** Shared: a round of 64 logs finds an entry in few of them. */
const NO_ENTRIES: readonly LogEntry[] = [];

/** The id after which to read. */
export const idAfter = (cursor: string | undefined): string => cursor ?? FROM_START;

/** The page in an answer. @throws StoreUnavailable if an entry cannot be read */
export const pageOf = (
  entries: readonly RawEntry[],
  cursor: string | undefined,
  rest: Pick<LogPage, 'exists' | 'birthText'>,
): LogPage => ({ entries: entries.map(entryOf), cursor: entries.at(-1)?.[0] ?? cursor, ...rest });

/** The result of a step that may fail, as a value. */
export function tried<T>(step: () => T): T | StoreUnavailable {
  try {
    return step();
  } catch (error) {
    if (error instanceof StoreUnavailable) return error;
    throw error;
  }
}

const EXISTS = encodeCommand('exists', LOGS);
const READ_BIRTHS = encodeCommand('mget', BIRTHS);

/** Reads all logs of a server that owns all shards. */
export class AllLogs {
  /** The command of the last read: without new entries the next one is the same. */
  #cursors: readonly (string | undefined)[] = [];
  #readEntries = readEntriesAfter([]);

  /**
   * Reads first the entries, then whether the logs exist, then the births. If some log is missing, none counts as
   * existing: a second read would be another moment. `beginLog` finds which.
   */
  async read(
    client: Redis,
    cursors: readonly (string | undefined)[],
  ): Promise<readonly (LogPage | StoreUnavailable)[]> {
    if (cursors.some((cursor, shard) => cursor !== this.#cursors[shard])) {
      this.#cursors = [...cursors];
      this.#readEntries = readEntriesAfter(cursors);
    }
    inOnePiece(client);
    const commands = [this.#readEntries, EXISTS, READ_BIRTHS];
    const [streams, count, births] = await Promise.all(commands.map((command) => sendEncoded(client, command)));
    if (typeof count !== 'number' || !Array.isArray(births) || births.length !== SHARDS) throw unexpected();
    const byName = entriesByName(streams);
    const exists = count === SHARDS;
    return LOGS.map((name, shard) => {
      const birthText = typeof births[shard] === 'string' ? births[shard] : undefined;
      const entries = byName?.get(name);
      if (!entries) return { entries: NO_ENTRIES, cursor: cursors[shard], exists, birthText };
      return tried(() => pageOf(entries, cursors[shard], { exists, birthText }));
    });
  }
}

const readEntriesAfter = (cursors: readonly (string | undefined)[]): EncodedCommand => {
  const ids = LOGS.map((_, shard) => idAfter(cursors[shard]));
  return encodeCommand('xread', ['COUNT', `${PAGE_ENTRIES}`, 'STREAMS', ...LOGS, ...ids]);
};

/** undefined: there are no entries */
function entriesByName(streams: unknown): ReadonlyMap<string, readonly RawEntry[]> | undefined {
  if (streams === null) return undefined;
  if (!Array.isArray(streams)) throw unexpected();
  return new Map(
    streams.map((each: unknown) => {
      const [name, entries] = Array.isArray(each) ? each : [];
      if (typeof name !== 'string' || !isRawEntries(entries)) throw unexpected();
      return [name, entries];
    }),
  );
}

function entryOf([id, fields]: RawEntry): LogEntry {
  const [first, text = '', second, wholeSince = ''] = fields;
  if (first !== 'e' || second !== 't') throw new StoreUnavailable('the log in Redis holds an entry of another form');
  return parseLogEntry(text, Number.parseInt(id, 10), wholeSince);
}

const unexpected = (): StoreUnavailable =>
  new StoreUnavailable('Redis answered a read of the logs in an unexpected format');
