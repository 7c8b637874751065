// The filling of a Redis: the adapter's keys and the core's texts, written in bulk.

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { keyNames, logName, SHARDS } from '../../src/adapters/redis/keys.js';
import { endText } from '../../src/core/feed/log-entry.js';
import { birthOf, entryOf, type Filling, fill, keptUntilMs, type Session } from './sessions.js';

/** Written before the answers are waited for. */
const BATCH = 10_000;
const STORED = '+OK\r\n';
/** A session's id in a log. */
const ID_BYTES = 16;

const command = (...words: readonly string[]): string =>
  `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`;

class Bulk {
  readonly #socket: Socket;
  #commands: string[] = [];
  #wanted: string[] = [];

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  set(...words: readonly string[]): Promise<void> | undefined {
    return this.#add(STORED, ['SET', ...words]);
  }

  /** Appends to the log of a shard. @param id greater than all before it in this log */
  append(shard: number, id: string, entry: string, wholeSinceMs: number): Promise<void> | undefined {
    const words = ['XADD', logName(shard), id, 'e', entry, 't', `${wholeSinceMs}`];
    return this.#add(`$${id.length}\r\n${id}\r\n`, words);
  }

  /** @throws Error if Redis refuses one of them */
  async flush(): Promise<void> {
    const wanted = this.#wanted.join('');
    this.#socket.write(this.#commands.join(''));
    this.#commands = [];
    this.#wanted = [];
    let answered = '';
    while (answered.length < wanted.length) {
      const [chunk] = (await once(this.#socket, 'data')) as [Buffer];
      answered += chunk.toString('latin1');
      if (!wanted.startsWith(answered)) throw new Error(`Redis refused an entry: ${answered.replaceAll(STORED, '')}`);
    }
  }

  #add(wanted: string, words: readonly string[]): Promise<void> | undefined {
    this.#commands.push(command(...words));
    this.#wanted.push(wanted);
    return this.#commands.length < BATCH ? undefined : this.flush();
  }
}

async function inBulk<T>(port: number, write: (bulk: Bulk) => Promise<T>): Promise<T> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  try {
    const bulk = new Bulk(socket);
    const result = await write(bulk);
    await bulk.flush();
    return result;
  } finally {
    socket.destroy();
  }
}

/** The store looks as if it had been in use since its births: its logs are whole since then. @returns some of the sessions */
export const fillRedis = (port: number, filling: Filling): Promise<Session[]> =>
  inBulk(port, async (bulk) => {
    const { bornMs } = filling.epoch;
    const births = Array.from({ length: SHARDS }, (_, shard) => ({ kind: 'birth' as const, shard }));
    for (const name of keyNames(births)) bulk.set(name, birthOf(filling.epoch, filling.sessions));
    for (const { shard } of births) bulk.append(shard, `${bornMs}-0`, 'b', bornMs);
    return fill(filling, (session) => {
      const [name = ''] = keyNames([{ kind: 'session', ...session }]);
      return bulk.set(name, entryOf(session, filling.kid), 'PX', `${keptUntilMs(session) - Date.now()}`);
    });
  });

/** Appends the ends of sessions to the logs, as if they had all ended now. */
export const appendEnds = (port: number, count: number, { bornMs }: Filling['epoch']): Promise<void> =>
  inBulk(port, async (bulk) => {
    const nowMs = Date.now();
    for (let index = 0; index < count; index++) {
      const entry = endText('session', randomBytes(ID_BYTES).toString('hex'));
      await bulk.append(index % SHARDS, `${nowMs}-${index}`, entry, bornMs);
    }
  });
