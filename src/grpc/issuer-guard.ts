// Who may call the issuer: holders of a credential, compared by digest, and clients whose certificate has a listed name.

import { createHash, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../env.js';
import type { IncomingCall } from './transport/method.js';

/** Who may call. */
export interface IssuerCallers {
  readonly credentials: readonly Secret[];
  /** DNS names and URIs of client certificates, to the letter. */
  readonly clientNames: readonly string[];
}

/** As much of a call as says who it is from. */
export type Caller = Pick<IncomingCall, 'header' | 'clientNames'>;

/** @returns why the caller may not call; undefined: it may */
export type Guard = (caller: Caller) => 'missing' | 'wrong' | undefined;

/** A bit of Node's list of names: what has characters that could be taken for another name is in quotes, as JSON. */
const NAME = /([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^",]*)(?:, |$)/y;

/** Keeps the digests of the credentials, and nothing else of them. */
export function issuerGuard({ credentials, clientNames }: IssuerCallers): Guard {
  const wanted = credentials.map((credential) => digest(credential.reveal()));
  // What has a colon is no DNS name: so no name that was given as the one kind counts as the other.
  const listed = new Set(clientNames.map((name) => (name.includes(':') ? `URI:${name}` : `DNS:${name}`)));
  return (caller) => {
    const given = caller.header('authorization');
    const isNamed = () => listed.size > 0 && namesIn(caller.clientNames() ?? '').some((name) => listed.has(name));
    if (hasCredential(given, wanted) || isNamed()) return undefined;
    return given === undefined ? 'missing' : 'wrong';
  };
}

/** In constant time: all are compared, each by digest, whatever the lengths, also after one has been found. */
function hasCredential(given: string | undefined, wanted: readonly Buffer[]): boolean {
  // Schemes are the same in any case (RFC 9110, section 11.1).
  const [, token = ''] = /^bearer (.*)$/i.exec(given ?? '') ?? [];
  const shown = digest(token);
  return wanted.reduce((found, each) => timingSafeEqual(each, shown) || found, false);
}

/** The names of a certificate, each with its kind. One odd thing among them, and there are none. */
export function namesIn(text: string): string[] {
  const names: string[] = [];
  NAME.lastIndex = 0;
  while (NAME.lastIndex < text.length) {
    const [, kind, name = ''] = NAME.exec(text) ?? [];
    if (kind === undefined) return [];
    // Quoted ones hold what no name in the settings can hold.
    if (!name.startsWith('"')) names.push(`${kind}:${name}`);
  }
  return names;
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
