// The load of honest verifiers: active tokens, each with a deadline, in random order.

import { ValidateTokenRequest } from '../../proto/gen/auth/v1/auth_service.js';
import type { Work } from './work.js';

/** `active: true` */
const ACTIVE = { bytes: Buffer.from([0x08, 0x01]), whole: false };

export const validations = (tokens: readonly string[]): Work => ({
  kind: 'fixed',
  route: { protocol: 'grpc', path: '/auth.v1.AuthService/ValidateToken', headers: { 'grpc-timeout': '2S' } },
  messages: tokens.map((accessToken) => ValidateTokenRequest.encode({ accessToken, includeClaims: false }).finish()),
  expected: [ACTIVE],
  order: 'random',
});
