// Tokens that tests make by hand, of ours and of djangorestframework-simplejwt, and how tests read claims.

import { createHmac, randomUUID } from 'node:crypto';
import { JwtKeys } from '../../src/adapters/jwt/jwt-keys.js';
import { keyFromSecret } from '../../src/adapters/jwt/signing-key.js';
import { writeClaims } from '../../src/core/token/claims.js';
import { makeSessionId, type SessionId } from '../../src/core/token/session-id.js';
import type { TokenKind } from '../../src/core/token/token.js';
import { JWT_SECRET } from '../support/processes.js';

const keys = new JwtKeys(keyFromSecret(JWT_SECRET));

/** Unix seconds. */
export const nowS = (): number => Math.floor(Date.now() / 1000);

/** An id of a session that started some time ago. */
export const sessionIdOf = (agoMs: number): SessionId =>
  makeSessionId(Date.now() - agoMs, crypto.getRandomValues(new Uint8Array(10)));

export interface Crafted {
  readonly sessionId: string;
  readonly subject?: string;
  readonly generation?: number;
  /** Unix seconds, as is the end. */
  readonly issuedAt: number;
  readonly expiresAt: number;
}

/** An authentic token of ours, as the service would have made it at another time. */
export function craft(kind: TokenKind, { subject = 'alice', generation = 0, ...rest }: Crafted): string {
  const { sessionId, issuedAt, expiresAt } = rest;
  const { signingKid: kid } = keys;
  const bearer = {
    subject,
    sessionId: sessionId as SessionId,
    issuer: undefined,
    audience: [],
    claims: {},
    adoptedSession: false,
  };
  const answered = { generation, issuedAt, accessExpiresAt: expiresAt, refreshExpiresAt: expiresAt, kid };
  return keys.sign(kind, writeClaims(kind, bearer, answered), kid);
}

/** A token of a session that has just expired. */
export const expired = (kind: TokenKind, sessionId: string, subject = 'alice', generation = 0): string =>
  craft(kind, { sessionId, subject, generation, issuedAt: nowS() - 60, expiresAt: nowS() - 10 });

const encode = (text: string | Buffer): string => Buffer.from(text).toString('base64url');

/** Signs a payload's text, or its bytes, as simplejwt does. */
export function foreignText(payload: string | Buffer, secret = JWT_SECRET): string {
  const unsigned = `${encode('{"alg":"HS256","typ":"JWT"}')}.${encode(payload)}`;
  return `${unsigned}.${createHmac('sha256', secret).update(unsigned).digest('base64url')}`;
}

/** The claims of a token of simplejwt; of those given, an undefined one is left out. */
export function foreignClaims(kind: TokenKind, claims: Record<string, unknown> = {}): Record<string, unknown> {
  const iat = nowS();
  const exp = iat + (kind === 'access' ? 300 : 86_400);
  return { token_type: kind, exp, iat, jti: randomUUID().replaceAll('-', ''), user_id: 7, ...claims };
}

/** A token of simplejwt. */
export const foreign = (kind: TokenKind, claims: Record<string, unknown> = {}): string =>
  foreignText(JSON.stringify(foreignClaims(kind, claims)));

const part = (token: string, index: number): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[index] ?? '', 'base64url').toString('utf8'));

export const headerOf = (token: string): Record<string, unknown> => part(token, 0);

/** The payload of a token. */
export const claimsOf = (token: string): Record<string, unknown> => part(token, 1);
