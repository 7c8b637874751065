// The attacker's tools: tokens with any header, payload and signature, as text that no library would make.

import { createHmac, createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { keyFromPem } from '../../src/adapters/jwt/key-pair.js';
import { keyFromSecret, type SigningKey } from '../../src/adapters/jwt/signing-key.js';
import { JWT_SECRET } from '../support/processes.js';

/** The service's own keys, which some attacks assume: an authentic token may still be odd. */
export const ecPrivate = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
export const ecPem = ecPrivate.export({ format: 'pem', type: 'pkcs8' }).toString();
export const es256: SigningKey = keyFromPem(ecPem);
export const hs256: SigningKey = keyFromSecret(JWT_SECRET);

export const ISSUER = 'https://id.example';
export const SID = '01a20377-79de-7f89-969c-a4e3d0e9a198';

/** base64url of a text, or of a value as JSON. */
export const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

export const hmac = (input: string, secret: KeyObject | string | Buffer): string =>
  createHmac('sha256', secret).update(input).digest('base64url');
export const ecdsa = (input: string, dsaEncoding: 'ieee-p1363' | 'der' = 'ieee-p1363'): string =>
  createSign('sha256').update(input).sign({ key: ecPrivate, dsaEncoding }).toString('base64url');

/** `none` in all its cases, and what a lenient reader might take for it. */
export const NONES: readonly unknown[] = [
  ...Array.from({ length: 16 }, (_, bits) =>
    [...'none'].map((letter, n) => ((bits >> n) & 1 ? letter.toUpperCase() : letter)).join(''),
  ),
  ...[' none', 'none ', 'none\u0000', '\uff4eone', 'null', '', null, undefined, 0, false, ['none'], { alg: 'none' }],
];

const nowS = (): number => Math.floor(Date.now() / 1000);

/** The claims of a good access token, of a session that starts now and that the service has not begun. */
export function goodClaims(more: Record<string, unknown> = {}): Record<string, unknown> {
  const sid = freshSid();
  const claims = { token_type: 'access', iss: ISSUER, aud: 'api', sub: 'mallory', sid, gen: 0, jti: `a${sid}.0` };
  return { ...claims, iat: nowS(), exp: nowS() + 60, ...more };
}

/** The claims of a good refresh token of such a session. */
export function goodRefreshClaims(more: Record<string, unknown> = {}): Record<string, unknown> {
  const claims = goodClaims();
  return { ...claims, token_type: 'refresh', jti: `r${claims['sid']}.0`, ...more };
}

/** A session id that starts now. */
export function freshSid(): string {
  const time = Date.now().toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}${SID.slice(13)}`;
}

/** An authentic ES256 token: its header and payload may be any text or value. */
export function authentic(payload: unknown, header: Record<string, unknown> = {}): string {
  const input = `${encode({ alg: 'ES256', typ: 'at+jwt', kid: es256.kid, ...header })}.${encode(payload)}`;
  return `${input}.${ecdsa(input)}`;
}

/** The same under HS256, with a secret of choice. */
export function authenticHs256(
  payload: unknown,
  header: Record<string, unknown> = {},
  secret: KeyObject | string | Buffer = JWT_SECRET,
): string {
  const input = `${encode({ alg: 'HS256', typ: 'at+jwt', kid: hs256.kid, ...header })}.${encode(payload)}`;
  return `${input}.${hmac(input, secret)}`;
}

/** An authentic refresh token of the ES256 key; with another secret, a forged one. */
export function authenticRefresh(
  payload: unknown,
  header: Record<string, unknown> = {},
  secret: KeyObject | string | Buffer = es256.refreshSecret,
): string {
  return authenticHs256(payload, { typ: 'rt+jwt', kid: es256.refreshKid, ...header }, secret);
}

/** A token of exactly `bytes` bytes; spare characters go where base64url has room for them. */
export function ofLength(bytes: number, make: (header: object, payload: object) => string): string {
  const bare = make({ x: '' }, { pad: '' }).length;
  for (let inHeader = 0; inHeader < 4; inHeader++) {
    for (let pad = Math.floor(((bytes - bare) * 3) / 4) - 8; pad < bytes; pad++) {
      const token = make({ x: 'x'.repeat(inHeader) }, { pad: 'x'.repeat(pad) });
      if (token.length === bytes) return token;
      if (token.length > bytes) break;
    }
  }
  throw new Error(`no token has ${bytes} bytes`);
}
