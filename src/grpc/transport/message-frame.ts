// The frame of a message in gRPC: a flag of one byte, a length of four bytes, and the message.

/** The bytes before a message. */
export const PREFIX_BYTES = 5;

/** @returns the message, not compressed, with its prefix */
export function frameMessage(bytes: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(PREFIX_BYTES + bytes.length);
  framed[0] = 0;
  framed.writeUInt32BE(bytes.length, 1);
  framed.set(bytes, PREFIX_BYTES);
  return framed;
}
