// Decompression of request messages, with limits on the size and on how many run at once.

import { promisify } from 'node:util';
import { gunzip, inflate } from 'node:zlib';
import { status } from '@grpc/grpc-js';
import { ACCEPTED_ENCODINGS, failure } from './head.js';
import { StatusError } from './method.js';

/**
 * The largest size and ratio that the usual queue decompresses. A thousand tokens of one issuer shrink to a third, with
 * large claims to a twentieth. A message that shrinks further repeats one token many times, or is an attack: a queue of
 * its own decompresses it.
 */
const FREE_BYTES = 16 * 1024;
const USUAL_RATIO = 64;

const UNPACK: Readonly<Record<string, typeof gunzip>> = { gzip: gunzip, deflate: inflate };

/** Limits the work in Node's thread pool, which the store's driver and signatures share. */
class WorkQueue {
  readonly #atOnce: number;
  readonly #maxWaiting: number;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(atOnce: number, maxWaiting: number) {
    this.#atOnce = atOnce;
    this.#maxWaiting = maxWaiting;
  }

  /** @returns undefined if too many wait already */
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
  readonly #usual = new WorkQueue(2, 10_000);
  readonly #costly = new WorkQueue(1, 16);

  /**
   * @param maxBytes the most bytes of the decompressed message
   * @throws StatusError for an unknown compression, corrupt data, a message that is too large, or too many costly ones
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

const BROKEN = failure(status.INTERNAL, 'the request message cannot be decompressed: its data is corrupt');
const TOO_MANY = failure(
  status.RESOURCE_EXHAUSTED,
  `too many messages that decompress to over ${USUAL_RATIO} times their size are waiting; send them uncompressed`,
);
const tooLarge = (maxBytes: number) =>
  failure(
    status.RESOURCE_EXHAUSTED,
    `the request message is too large: decompressed it has more than ${maxBytes} bytes`,
  );

const NOT_NAMED = failure(
  status.INTERNAL,
  'the request message is marked as compressed, but grpc-encoding names no compression',
);

function unknown(encoding: string | undefined) {
  if (encoding === undefined || encoding === 'identity') return NOT_NAMED;
  const details = 'the compression of the request message is not supported: use gzip, deflate or none';
  const end = failure(status.UNIMPLEMENTED, details);
  end.metadata.set('grpc-accept-encoding', ACCEPTED_ENCODINGS);
  return end;
}

const isTooLarge = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
