// The check of IssuerService's callers: a credential, compared by digest, or a client certificate with a listed name.

import { createHash, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../../platform/env.js';
import type { IncomingCall } from '../transport/method.js';

/** The callers that are allowed. */
export interface IssuerCallers {
  readonly credentials: readonly Secret[];
  /** Good for RevokeSubject alone. */
  readonly revokers?: readonly Secret[];
  /** DNS names and URIs of client certificates, compared exactly. */
  readonly clientNames: readonly string[];
}

/** The part of a call that identifies the caller. */
export type Caller = Pick<IncomingCall, 'path' | 'header' | 'clientNames'>;

/** @returns why the caller is not allowed; undefined: it is */
export type Guard = (caller: Caller) => 'missing' | 'wrong' | undefined;

const REVOKE = '/auth.v1.IssuerService/RevokeSubject';

/** One entry of Node's list of names. A name with characters that could fake another entry is a JSON string. */
const NAME = /([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^",]*)(?:, |$)/y;

/** Keeps only digests of the credentials. */
export function issuerGuard({ credentials, revokers = [], clientNames }: IssuerCallers): Guard {
  const wanted = credentials.map((credential) => digest(credential.reveal()));
  const wantedToRevoke = [...wanted, ...revokers.map((credential) => digest(credential.reveal()))];
  // A DNS name has no colon and a URI has one, so the two kinds cannot be confused.
  const listed = new Set(clientNames.map((name) => (name.includes(':') ? `URI:${name}` : `DNS:${name}`)));
  return (caller) => {
    const given = caller.header('authorization');
    const isNamed = () => listed.size > 0 && namesIn(caller.clientNames() ?? '').some((name) => listed.has(name));
    if (hasCredential(given, caller.path === REVOKE ? wantedToRevoke : wanted) || isNamed()) return undefined;
    return given === undefined ? 'missing' : 'wrong';
  };
}

/** Takes constant time: it compares the digests of all credentials, also after a match. */
function hasCredential(given: string | undefined, wanted: readonly Buffer[]): boolean {
  // Authentication schemes are case-insensitive (RFC 9110, section 11.1).
  const [, token = ''] = /^bearer (.*)$/i.exec(given ?? '') ?? [];
  const shown = digest(token);
  return wanted.reduce((found, each) => timingSafeEqual(each, shown) || found, false);
}

/** The names of a certificate, each with its kind. If one entry cannot be parsed, the result is empty. */
export function namesIn(text: string): string[] {
  const names: string[] = [];
  NAME.lastIndex = 0;
  while (NAME.lastIndex < text.length) {
    const [, kind, name = ''] = NAME.exec(text) ?? [];
    if (kind === undefined) return [];
    // A quoted name contains characters that no name in the settings has.
    if (!name.startsWith('"')) names.push(`${kind}:${name}`);
  }
  return names;
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
