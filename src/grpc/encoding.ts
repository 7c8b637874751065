// Owns the bytes of the answers that are given most: about access tokens, encoded once where they are told again; and pairs.

import { BinaryWriter } from '@bufbuild/protobuf/wire';
import {
  AuthServiceService,
  RefreshTokenResponse,
  ValidateTokenResponse,
  ValidateTokensResponse,
  type ValidateTokensResult,
} from '../../proto/gen/auth/v1/auth_service.js';
import { IssuerServiceService, IssueTokenResponse } from '../../proto/gen/auth/v1/issuer_service.js';

/** Encodes a message once, for as long as somebody holds it. */
function once<Message extends object>(encode: (message: Message) => Uint8Array): (message: Message) => Buffer {
  const known = new WeakMap<Message, Buffer>();
  return (message) => {
    const before = known.get(message);
    if (before) return before;
    const bytes = toBuffer(encode(message));
    known.set(message, bytes);
    return bytes;
  };
}

const toBuffer = ({ buffer, byteOffset, length }: Uint8Array): Buffer => Buffer.from(buffer, byteOffset, length);

const alone = once((validation: ValidateTokenResponse) => ValidateTokenResponse.encode(validation).finish());
// In protobuf, messages one after the other are one message, whose lists are one after the other, too.
const encode = (result: ValidateTokensResult) => ValidateTokensResponse.encode({ results: [result] }).finish();
const among = once((validation: ValidateTokenResponse) => encode({ validation }));

/** One result of a batch, as a part of the whole answer. */
export const encodeResult = (result: ValidateTokensResult): Uint8Array =>
  result.validation ? among(result.validation) : encode(result);

/**
 * Encodes messages with one writer, which keeps the room that it has grown to: it would have to grow several times for each
 * pair of tokens.
 */
export function withOneWriter<Message>(
  encode: (message: Message, writer: BinaryWriter) => BinaryWriter,
): (message: Message) => Buffer {
  const writer = new BinaryWriter();
  return (message) => {
    try {
      return toBuffer(encode(message, writer).finish());
    } catch (error) {
      // Else what was written of this message would begin the next caller's.
      writer.finish();
      throw error;
    }
  };
}

/** AuthService, with answers that may be known by their bytes. */
export const AUTH_SERVICE = {
  ...AuthServiceService,
  refreshToken: { ...AuthServiceService.refreshToken, responseSerialize: withOneWriter(RefreshTokenResponse.encode) },
  validateToken: { ...AuthServiceService.validateToken, responseSerialize: alone },
  validateTokens: {
    ...AuthServiceService.validateTokens,
    responseSerialize: ({ results }: ValidateTokensResponse): Buffer => Buffer.concat(results.map(encodeResult)),
  },
} as const;

export const ISSUER_SERVICE = {
  ...IssuerServiceService,
  issueToken: { ...IssuerServiceService.issueToken, responseSerialize: withOneWriter(IssueTokenResponse.encode) },
} as const;
