// The usual request of WatchRevocations, a ping, decoded by hand: a thousand streams send four a second.

import type { Ping, WatchRevocationsRequest } from '../../../proto/gen/auth/v1/auth_service.js';

/** Field 2 of the request, and fields 1 and 2 of the ping in it; their wire types are LEN, VARINT and VARINT. */
const [PING_TAG, ID_TAG, URGENT_TAG] = [(2 << 3) | 2, 1 << 3, 2 << 3];
/** So that every id is a safe integer. */
const MAX_ID_BYTES = 7;
const ID_AT = 3;

/** Decodes pings in the form in which encoders write them. @param decode decodes all else */
export const withPings =
  <Request>(decode: (bytes: Buffer) => Request) =>
  (bytes: Buffer): Request | WatchRevocationsRequest => {
    const ping = decodePing(bytes);
    return ping ? { start: undefined, ping } : decode(bytes);
  };

/** @returns undefined if the bytes have another form, which may be valid, too */
function decodePing(bytes: Buffer): Ping | undefined {
  if (bytes[0] !== PING_TAG || bytes[1] !== bytes.length - 2 || bytes[2] !== ID_TAG) return undefined;
  let [id, factor, at] = [0, 1, ID_AT];
  for (let more = true; more; at++) {
    const byte = bytes[at];
    if (byte === undefined || at === ID_AT + MAX_ID_BYTES) return undefined;
    id += (byte & 0x7f) * factor;
    factor *= 0x80;
    more = byte >= 0x80;
  }
  if (at === bytes.length) return { id, urgent: false };
  const isUrgent = at + 2 === bytes.length && bytes[at] === URGENT_TAG && bytes[at + 1] === 1;
  return isUrgent ? { id, urgent: true } : undefined;
}
