// Bytes as a Buffer without a copy, as gRPC's serializers return them.

export const toBuffer = ({ buffer, byteOffset, length }: Uint8Array): Buffer => Buffer.from(buffer, byteOffset, length);
