// The service definitions with encoders for the most frequent responses: validations and token pairs.

import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { AuthServiceService, RefreshTokenResponse } from '../../../proto/gen/auth/v1/auth_service.js';
import { IssuerServiceService, IssueTokenResponse } from '../../../proto/gen/auth/v1/issuer_service.js';
import { toBuffer } from './bytes.js';
import type { ValidationResponse } from './validation-response.js';

/** An encoder that reuses one writer and its buffer. A new writer would grow several times for each pair of tokens. */
export function withOneWriter<Message>(
  encode: (message: Message, writer: BinaryWriter) => BinaryWriter,
): (message: Message) => Buffer {
  const writer = new BinaryWriter();
  return (message) => {
    try {
      return toBuffer(encode(message, writer).finish());
    } catch (error) {
      // Resets the writer: without this the next message would begin with the start of this one.
      writer.finish();
      throw error;
    }
  };
}

const { watchRevocations, ...UNARY } = AuthServiceService;

/** The unary methods of AuthService. */
export const AUTH_SERVICE = {
  ...UNARY,
  refreshToken: { ...UNARY.refreshToken, responseSerialize: withOneWriter(RefreshTokenResponse.encode) },
  validateToken: {
    ...UNARY.validateToken,
    responseSerialize: ({ single }: ValidationResponse): Buffer => single,
  },
  validateTokens: {
    ...UNARY.validateTokens,
    /** @param results each encoded by `batchResult` */
    responseSerialize: (results: readonly Buffer[]): Buffer => Buffer.concat(results),
  },
} as const;

/** The streaming method of AuthService. Its responses are encoded by `feed-message.ts`. */
export const WATCH_SERVICE = {
  watchRevocations: { ...watchRevocations, responseSerialize: (bytes: Buffer): Buffer => bytes },
} as const;

export const ISSUER_SERVICE = {
  ...IssuerServiceService,
  issueToken: { ...IssuerServiceService.issueToken, responseSerialize: withOneWriter(IssueTokenResponse.encode) },
} as const;
