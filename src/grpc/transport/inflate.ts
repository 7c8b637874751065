// Compressed request messages, unpacked within bounds: in size, by what was sent, and a few at a time.

import { promisify } from 'node:util';
import { gunzip, inflate } from 'node:zlib';
import { status } from '@grpc/grpc-js';
import { ACCEPTED_ENCODINGS, failure } from './head.js';
import { StatusError } from './method.js';

/** Unpacking is work of Node's thread pool, which the store's driver and signatures share. */
const AT_ONCE = 2;
/**
 * A message may be unpacked to so much, and so many times what was sent. A thousand tokens of one issuer shrink to a
 * third, with large claims to a twentieth; only what was made to be costly shrinks to a thousandth.
 */
const FREE_BYTES = 16 * 1024;
const MAX_RATIO = 64;

const UNPACK: Readonly<Record<string, typeof gunzip>> = { gzip: gunzip, deflate: inflate };

export class Inflater {
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  /**
   * @param maxBytes of the message when it is unpacked
   * @throws StatusError for an unknown compression, broken data, or a message that is too large
   */
  async unpack(bytes: Buffer, encoding: string | undefined, maxBytes: number): Promise<Buffer> {
    const unpack = UNPACK[encoding ?? ''];
    if (!unpack) throw new StatusError(unknown(encoding));
    const maxOutputLength = Math.min(maxBytes, FREE_BYTES + MAX_RATIO * bytes.length);
    await this.#enter();
    try {
      return await promisify(unpack as Unpack)(bytes, { maxOutputLength });
    } catch (error) {
      throw new StatusError(refusal(error, maxOutputLength));
    } finally {
      this.#running--;
      this.#waiting.shift()?.();
    }
  }

  async #enter(): Promise<void> {
    if (this.#running >= AT_ONCE) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#running++;
  }
}

type Unpack = (
  bytes: Buffer,
  options: { readonly maxOutputLength: number },
  done: (error: Error | null, result: Buffer) => void,
) => void;

function unknown(encoding: string | undefined) {
  const details =
    encoding === undefined || encoding === 'identity'
      ? 'the request message is marked as compressed, but grpc-encoding names no compression'
      : 'the compression of the request message is not known here: use gzip, deflate or none';
  const end = failure(encoding === undefined ? status.INTERNAL : status.UNIMPLEMENTED, details);
  end.metadata.set('grpc-accept-encoding', ACCEPTED_ENCODINGS);
  return end;
}

function refusal(error: unknown, maxBytes: number) {
  const isTooLarge = error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
  return isTooLarge
    ? failure(
        status.RESOURCE_EXHAUSTED,
        `the request message is too large: unpacked it has more than ${maxBytes} bytes`,
      )
    : failure(status.INTERNAL, 'the request message cannot be unpacked: its compressed data is broken');
}
