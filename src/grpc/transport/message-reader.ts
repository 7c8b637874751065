// The reader of the messages of a request: it collects their bytes, and bounds them.

import { status } from '@grpc/grpc-js';
import { failure } from './head.js';
import { PREFIX_BYTES } from './message-frame.js';
import { StatusError } from './method.js';

const FIRST_CAPACITY = 1024;
/** Shared, because a new one would cost each call. Nothing can be written to it. */
const EMPTY = Buffer.alloc(0);
const BAD_FLAG = failure(status.INTERNAL, 'the flag before the request message is neither 0 nor 1');
/** The request ended in the middle of a message. */
export const INCOMPLETE = failure(status.INTERNAL, 'the request message is incomplete');

export interface Message {
  readonly isCompressed: boolean;
  readonly bytes: Buffer;
}

/**
 * Copies the input into a buffer of its own: a slice from Node keeps the whole read buffer in memory, and a thousand
 * small slices take more memory than their bytes.
 */
export class MessageReader {
  readonly #maxBytes: number;
  #buffer = EMPTY;
  #from = 0;
  #to = 0;

  /** @param maxBytes the most bytes of one message */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The size of the buffer, bytes. */
  get capacity(): number {
    return this.#buffer.length;
  }

  /** How many bytes wait for `next`. */
  get pending(): number {
    return this.#to - this.#from;
  }

  /** The size of the next message with its prefix, bytes; undefined: the prefix is not complete. */
  get announced(): number | undefined {
    return this.pending < PREFIX_BYTES ? undefined : PREFIX_BYTES + this.#buffer.readUInt32BE(this.#from + 1);
  }

  /** @throws StatusError if the message is too large, or its prefix is invalid */
  push(chunk: Buffer): void {
    this.#makeRoom(chunk.length);
    chunk.copy(this.#buffer, this.#to);
    this.#to += chunk.length;
    this.#check();
  }

  /** Takes the next message if it is complete. @throws StatusError as `push` does, about the message after it */
  next(): Message | undefined {
    const { announced } = this;
    if (announced === undefined || this.pending < announced) return undefined;
    const isCompressed = this.#buffer[this.#from] === 1;
    const bytes = this.#buffer.subarray(this.#from + PREFIX_BYTES, this.#from + announced);
    this.#from += announced;
    this.#check();
    return { isCompressed, bytes };
  }

  /** Frees the buffer. */
  clear(): void {
    this.#buffer = EMPTY;
    this.#from = this.#to = 0;
  }

  #check(): void {
    if (this.pending > 0 && (this.#buffer[this.#from] ?? 0) > 1) throw new StatusError(BAD_FLAG);
    const announced = (this.announced ?? 0) - PREFIX_BYTES;
    if (announced <= this.#maxBytes) return;
    const details = `the request message is too large: ${announced} bytes, at most ${this.#maxBytes} are taken`;
    throw new StatusError(failure(status.RESOURCE_EXHAUSTED, details));
  }

  /** Moves the remaining bytes to a new buffer, never within one: a message that was taken may still be in use. */
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
