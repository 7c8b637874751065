// Messages out of the bytes of a request: each a flag, a length of four bytes, and the message.

import { status } from '@grpc/grpc-js';
import { failure } from './head.js';
import { StatusError } from './method.js';

const PREFIX_BYTES = 5;
const FIRST_CAPACITY = 1024;
const BAD_FLAG = failure(status.INTERNAL, 'the flag before the request message is neither 0 nor 1');
/** The request has ended within a message. */
export const INCOMPLETE = failure(status.INTERNAL, 'the request message is incomplete');

export interface Message {
  readonly isCompressed: boolean;
  readonly bytes: Buffer;
}

/**
 * Copies what comes into a buffer of its own: a slice that Node hands over keeps all that was read with it, and a
 * thousand small slices take more room than their bytes.
 */
export class MessageReader {
  readonly #maxBytes: number;
  #buffer = Buffer.alloc(0);
  #from = 0;
  #to = 0;

  /** @param maxBytes of one message */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The room that it takes, bytes. */
  get capacity(): number {
    return this.#buffer.length;
  }

  /** How many bytes are not taken yet. */
  get pending(): number {
    return this.#to - this.#from;
  }

  /** How many bytes the message and its prefix have that is on its way; undefined: its prefix is not complete. */
  get announced(): number | undefined {
    return this.pending < PREFIX_BYTES ? undefined : PREFIX_BYTES + this.#buffer.readUInt32BE(this.#from + 1);
  }

  /** @throws StatusError if the message is too large, or its prefix is none */
  push(chunk: Buffer): void {
    this.#makeRoom(chunk.length);
    chunk.copy(this.#buffer, this.#to);
    this.#to += chunk.length;
    this.#check();
  }

  /** Takes the next message, if all of it has come. @throws StatusError as `push`, of the one after it */
  next(): Message | undefined {
    const { announced } = this;
    if (announced === undefined || this.pending < announced) return undefined;
    const isCompressed = this.#buffer[this.#from] === 1;
    const bytes = this.#buffer.subarray(this.#from + PREFIX_BYTES, this.#from + announced);
    this.#from += announced;
    this.#check();
    return { isCompressed, bytes };
  }

  /** Gives its room back. */
  clear(): void {
    this.#buffer = Buffer.alloc(0);
    this.#from = this.#to = 0;
  }

  #check(): void {
    if (this.pending > 0 && (this.#buffer[this.#from] ?? 0) > 1) throw new StatusError(BAD_FLAG);
    const announced = (this.announced ?? 0) - PREFIX_BYTES;
    if (announced <= this.#maxBytes) return;
    const details = `the request message is too large: ${announced} bytes, at most ${this.#maxBytes} are taken`;
    throw new StatusError(failure(status.RESOURCE_EXHAUSTED, details));
  }

  /** A message that was taken may be in use: what is left moves into another buffer, never within one. */
  #makeRoom(more: number): void {
    if (this.#to + more <= this.#buffer.length) return;
    const needed = this.pending + more;
    const doubled = Math.min(2 * this.#buffer.length, this.announced ?? FIRST_CAPACITY);
    const buffer = Buffer.allocUnsafe(Math.max(needed, doubled));
    this.#buffer.copy(buffer, 0, this.#from, this.#to);
    this.#buffer = buffer;
    this.#to = this.pending;
    this.#from = 0;
  }
}
