// The filling of a Redis: the adapter's keys and the core's texts, written in bulk.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { keyNames, SHARDS } from '../../src/adapters/redis/keys.js';
import { birthOf, entryOf, type Filling, fill, keptUntilMs, type Session } from './sessions.js';

/** Written before the answers are waited for. */
const BATCH = 10_000;
const STORED = '+OK\r\n';

const command = (...words: readonly string[]): string =>
  `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`;

class Bulk {
  readonly #socket: Socket;
  #commands: string[] = [];

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  add(...words: readonly string[]): Promise<void> | undefined {
    this.#commands.push(command(...words));
    return this.#commands.length < BATCH ? undefined : this.flush();
  }

  /** @throws Error if Redis refuses one of them */
  async flush(): Promise<void> {
    const wanted = STORED.repeat(this.#commands.length);
    this.#socket.write(this.#commands.join(''));
    this.#commands = [];
    let answered = '';
    while (answered.length < wanted.length) {
      const [chunk] = (await once(this.#socket, 'data')) as [Buffer];
      answered += chunk.toString('latin1');
      if (!wanted.startsWith(answered)) throw new Error(`Redis refused an entry: ${answered.replaceAll(STORED, '')}`);
    }
  }
}

/** @returns some of the sessions */
export async function fillRedis(port: number, filling: Filling): Promise<Session[]> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  try {
    const bulk = new Bulk(socket);
    const births = Array.from({ length: SHARDS }, (_, shard) => ({ kind: 'birth' as const, shard }));
    for (const name of keyNames(births)) bulk.add('SET', name, birthOf(filling.epoch, filling.sessions));
    const sample = await fill(filling, (session) => {
      const [name = ''] = keyNames([{ kind: 'session', ...session }]);
      return bulk.add('SET', name, entryOf(session, filling.kid), 'PX', `${keptUntilMs(session) - Date.now()}`);
    });
    await bulk.flush();
    return sample;
  } finally {
    socket.destroy();
  }
}
