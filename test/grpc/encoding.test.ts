// Tests that answers encoded with one writer are the generated code's, whatever was encoded before them.

import { expect } from 'chai';
import { RefreshTokenResponse } from '../../proto/gen/auth/v1/auth_service.js';
import type { TokenPair } from '../../proto/gen/auth/v1/token.js';
import { withOneWriter } from '../../src/grpc/codec/encoding.js';

const pair = (length: number, fields: Partial<TokenPair> = {}): RefreshTokenResponse => ({
  tokens: {
    accessToken: 'a'.repeat(length),
    refreshToken: 'r'.repeat(length),
    accessExpiresAt: 1_795_712_378,
    refreshExpiresAt: 1_796_316_878,
    sessionId: '01a218c7-d386-797e-9255-519a0ee59e81',
    ...fields,
  },
});

describe('answers that are encoded with one writer', () => {
  it('have the bytes that the generated code gives them, and keep them', () => {
    const encode = withOneWriter(RefreshTokenResponse.encode);
    const messages = [300, 4_000, 1, 0, 127, 128, 8_192, 300].map((length) => pair(length));
    const encoded = messages.map((message) => encode(message));
    for (const [at, message] of messages.entries()) {
      expect(encoded[at]?.equals(RefreshTokenResponse.encode(message).finish())).to.equal(true);
    }
  });

  it('hold nothing of a message that could not be encoded', () => {
    const encode = withOneWriter(RefreshTokenResponse.encode);
    expect(() => encode(pair(300, { accessExpiresAt: Number.MAX_VALUE }))).to.throw();
    expect(encode(pair(20)).equals(RefreshTokenResponse.encode(pair(20)).finish())).to.equal(true);
  });
});
