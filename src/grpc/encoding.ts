// Owns the bytes of the answers about access tokens. One that is told again is encoded once.

import {
  AuthServiceService,
  ValidateTokenResponse,
  ValidateTokensResponse,
  type ValidateTokensResult,
} from '../../proto/gen/auth/v1/auth_service.js';

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

/** AuthService, with answers that may be known by their bytes. */
export const AUTH_SERVICE = {
  ...AuthServiceService,
  validateToken: { ...AuthServiceService.validateToken, responseSerialize: alone },
  validateTokens: {
    ...AuthServiceService.validateTokens,
    responseSerialize: ({ results }: ValidateTokensResponse): Buffer => Buffer.concat(results.map(encodeResult)),
  },
} as const;
