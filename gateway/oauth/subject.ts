// The subject in a request for global token revocation: a subject identifier (RFC 9493) in JSON.

import { isUtf8 } from 'node:buffer';
import { hasNameTwice } from '../../src/platform/json-names.js';
import { invalidRequest, unknownSubject } from './errors.js';

/** Formats of subject identifiers, and the members that each has besides `format`. */
const MEMBERS: Readonly<Record<string, readonly string[]>> = { opaque: ['id'], iss_sub: ['iss', 'sub'] };

/**
 * @param issuer the issuer of our tokens; undefined: no subject can be named by an issuer
 * @throws HttpError
 */
export function readSubject(body: Buffer, contentType: string, issuer: string | undefined): string {
  if (contentType.split(';', 1)[0]?.trim().toLowerCase() !== 'application/json') {
    throw invalidRequest('the Content-Type must be application/json');
  }
  const { format, ...members } = identifierIn(body);
  const names = typeof format === 'string' && Object.hasOwn(MEMBERS, format) ? (MEMBERS[format] ?? []) : [];
  if (names.length === 0) throw invalidRequest('sub_id must have the format opaque or iss_sub');
  // RFC 9493, section 3: no other members.
  if (Object.keys(members).sort().join() !== names.join()) {
    throw invalidRequest(`sub_id of the format ${format} must have ${names.join(' and ')}, and nothing else`);
  }
  const { id, iss, sub } = members;
  if (iss !== undefined && (typeof iss !== 'string' || iss !== issuer)) throw unknownSubject();
  const subject = id ?? sub;
  if (typeof subject !== 'string') throw invalidRequest('the subject must be a text');
  return subject;
}

function identifierIn(body: Buffer): Readonly<Record<string, unknown>> {
  const text = isUtf8(body) ? body.toString() : '';
  const value = parsed(text);
  const identifier = isObject(value) ? value['sub_id'] : undefined;
  if (!isObject(identifier)) throw invalidRequest('the body must be JSON with the object sub_id');
  // A proxy that checks the body may read the other one.
  if (hasNameTwice(text, value)) throw invalidRequest('an object of the body has two members of the same name');
  return identifier;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
