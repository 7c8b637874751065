// Compressed request messages, unpacked within bounds: in size, and a few at a time.

import { promisify } from 'node:util';
import { gunzip, inflate } from 'node:zlib';
import { status } from '@grpc/grpc-js';
import { ACCEPTED_ENCODINGS, failure } from './head.js';
import { StatusError } from './method.js';

/**
 * What a message is unpacked to at once: so much, and so many times what was sent. A thousand tokens of one issuer
 * shrink to a third, with large claims to a twentieth. What shrinks to less is one token many times, or was made to be
 * costly: it waits in a line of its own.
 */
const FREE_BYTES = 16 * 1024;
const USUAL_RATIO = 64;

const UNPACK: Readonly<Record<string, typeof gunzip>> = { gzip: gunzip, deflate: inflate };

/** Work of Node's thread pool, which the store's driver and signatures share. */
class Line {
  readonly #atOnce: number;
  readonly #maxWaiting: number;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(atOnce: number, maxWaiting: number) {
    this.#atOnce = atOnce;
    this.#maxWaiting = maxWaiting;
  }

  /** @returns undefined, if too many wait already */
  async run<T>(work: () => Promise<T>): Promise<T | undefined> {
    if (this.#running >= this.#atOnce) {
      if (this.#waiting.length >= this.#maxWaiting) return undefined;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#running++;
    try {
      return await work();
    } finally {
      this.#running--;
      this.#waiting.shift()?.();
    }
  }
}

export class Inflater {
  readonly #usual = new Line(2, 10_000);
  readonly #costly = new Line(1, 16);

  /**
   * @param maxBytes of the message when it is unpacked
   * @throws StatusError for an unknown compression, broken data, a message that is too large, or too many costly ones
   */
  async unpack(bytes: Buffer, encoding: string | undefined, maxBytes: number): Promise<Buffer> {
    const unpack = UNPACK[encoding ?? ''];
    if (!unpack) throw new StatusError(unknown(encoding));
    const usualBytes = Math.min(maxBytes, FREE_BYTES + USUAL_RATIO * bytes.length);
    const within = (maxOutputLength: number) => () => promisify(unpack as Unpack)(bytes, { maxOutputLength });
    try {
      const unpacked = await this.#usual.run(within(usualBytes));
      if (unpacked) return unpacked;
    } catch (error) {
      if (!isTooLarge(error)) throw new StatusError(BROKEN);
      if (usualBytes === maxBytes) throw new StatusError(tooLarge(maxBytes));
    }
    let unpacked: Buffer | undefined;
    try {
      unpacked = await this.#costly.run(within(maxBytes));
    } catch (error) {
      throw new StatusError(isTooLarge(error) ? tooLarge(maxBytes) : BROKEN);
    }
    if (!unpacked) throw new StatusError(TOO_MANY);
    return unpacked;
  }
}

type Unpack = (
  bytes: Buffer,
  options: { readonly maxOutputLength: number },
  done: (error: Error | null, result: Buffer) => void,
) => void;

const BROKEN = failure(status.INTERNAL, 'the request message cannot be unpacked: its compressed data is broken');
const TOO_MANY = failure(
  status.RESOURCE_EXHAUSTED,
  `too many messages wait that unpack to more than ${USUAL_RATIO} times their size; send them without compression`,
);
const tooLarge = (maxBytes: number) =>
  failure(status.RESOURCE_EXHAUSTED, `the request message is too large: unpacked it has more than ${maxBytes} bytes`);

const NOT_NAMED = failure(
  status.INTERNAL,
  'the request message is marked as compressed, but grpc-encoding names no compression',
);

function unknown(encoding: string | undefined) {
  if (encoding === undefined || encoding === 'identity') return NOT_NAMED;
  const details = 'the compression of the request message is not known here: use gzip, deflate or none';
  const end = failure(status.UNIMPLEMENTED, details);
  end.metadata.set('grpc-accept-encoding', ACCEPTED_ENCODINGS);
  return end;
}

const isTooLarge = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
