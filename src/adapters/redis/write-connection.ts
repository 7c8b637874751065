// The second connection to a server, for its writes: while Redis pauses writes, it takes no command that follows a write on
// the same connection, so that reads behind a write would wait with it.

import type { Redis } from 'ioredis';
import { connect } from './client.js';
import { bounded, NoAnswer, NoWriteAnswer } from './failure.js';
import { field } from './inspection.js';

/** After how long a write is given up on: before the connection for reads counts as silent. */
const WRITE_LIMIT_MS = 400;

/** By the connection for reads. */
const connections = new WeakMap<Redis, WriteConnection>();

/**
 * Runs a write beside the connection for reads, which is not harmed if the write is not answered.
 * @throws NoWriteAnswer; the server's own errors
 */
export function writeBeside<T>(reader: Redis, write: (writer: Redis) => Promise<T>): Promise<T> {
  let connection = connections.get(reader);
  if (!connection) {
    connection = new WriteConnection(reader);
    connections.set(reader, connection);
  }
  return connection.run(write);
}

/** Names the server's process; undefined: the user may not ask. */
const runIdOf = async (client: Redis): Promise<string | undefined> => {
  try {
    return field(await client.info('server'), 'run_id');
  } catch (error) {
    if (error instanceof Error && error.name === 'ReplyError') return undefined;
    throw error;
  }
};

class WriteConnection {
  readonly #reader: Redis;
  #writer: Redis | undefined;
  #opening: Promise<Redis> | undefined;

  constructor(reader: Redis) {
    this.#reader = reader;
    reader.once('close', () => {
      if (this.#writer) this.#leave(this.#writer);
    });
  }

  async run<T>(write: (writer: Redis) => Promise<T>): Promise<T> {
    const writer = this.#writer;
    try {
      return await bounded(writer ? write(writer) : this.#open().then(write), WRITE_LIMIT_MS, 'a write to Redis');
    } catch (error) {
      // The server's own answer. What it means for the connection for reads is the same as if that had asked.
      if (error instanceof Error && error.name === 'ReplyError') throw error;
      if (writer) this.#leave(writer);
      throw new NoWriteAnswer(
        error instanceof NoAnswer || error instanceof NoWriteAnswer
          ? error.message
          : 'the connection for writes failed',
      );
    }
  }

  #open(): Promise<Redis> {
    this.#opening ??= this.#connect().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #connect(): Promise<Redis> {
    const reader = this.#reader;
    const { connectTimeout = 1_000 } = reader.options;
    const writer = reader.duplicate();
    const stop = (): void => writer.disconnect();
    reader.once('close', stop);
    try {
      let ids: readonly (string | undefined)[] = [];
      const look = async (): Promise<void> => {
        ids = await Promise.all([runIdOf(reader), runIdOf(writer)]);
      };
      await bounded(connect(writer, look), connectTimeout, 'the connection for writes');
      const [id, other] = ids;
      // Behind one address there may be several servers.
      if (id !== other) throw new NoWriteAnswer('the connection for writes reached another Redis than that for reads');
      if (reader.status !== 'ready') throw new NoWriteAnswer('Redis closed the connection');
      if (id !== undefined) {
        writer.once('close', () => this.#leave(writer));
        this.#writer = writer;
        return writer;
      }
    } catch (error) {
      writer.disconnect();
      throw error;
    } finally {
      reader.off('close', stop);
    }
    // A server that does not give its id is written to where it is read: nothing else shows that it is the same one.
    writer.disconnect();
    this.#writer = reader;
    return reader;
  }

  /** The next write makes another connection. What is not answered yet is rejected. */
  #leave(writer: Redis): void {
    if (writer !== this.#writer) return;
    this.#writer = undefined;
    if (writer !== this.#reader) writer.disconnect();
  }
}
