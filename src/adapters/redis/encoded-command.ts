// Commands that are encoded once and sent many times.
// For hundreds of keys, encoding costs the driver more than all the rest of a command.

import { Command, type Redis } from 'ioredis';

/** A command as Redis reads it, an array of bulk strings. */
export interface EncodedCommand {
  readonly name: string;
  readonly bytes: Buffer;
}

export function encodeCommand(name: string, args: readonly string[]): EncodedCommand {
  const words = [name, ...args].map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  return { name, bytes: Buffer.from(`*${words.length}\r\n${words.join('')}`) };
}

class Sent extends Command {
  readonly #bytes: Buffer;

  constructor({ name, bytes }: EncodedCommand) {
    super(name, [], { replyEncoding: 'utf8' });
    this.#bytes = bytes;
  }

  override toWritable(): Buffer {
    return this.#bytes;
  }
}

/** Sends a command. Its answer has strings, and is not transformed. */
export const sendEncoded = (client: Redis, command: EncodedCommand): Promise<unknown> =>
  client.sendCommand(new Sent(command)) as Promise<unknown>;
