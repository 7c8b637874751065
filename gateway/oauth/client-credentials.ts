// The credentials of an OAuth client in a request (RFC 6749, section 2.3.1): HTTP Basic or parameters.

import { invalidClient, invalidRequest } from './errors.js';
import type { Parameters } from './form.js';

/** The credentials as they were sent. */
export interface ClientCredentials {
  readonly id: string;
  /** What the client may mean by the bytes that it sent: its secret in UTF-8, in each reading. */
  readonly secrets: readonly Buffer[];
}

const BASIC = /^basic +([A-Za-z0-9+/]+={0,2}) *$/i;

/**
 * @param lines the values of all Authorization lines, as received
 * @returns undefined if there are none; a bare `client_id` is none
 * @throws HttpError invalid_request or invalid_client
 */
export function readClientCredentials(lines: readonly string[], parameters: Parameters): ClientCredentials | undefined {
  const [line, ...others] = lines;
  if (others.length > 0) throw invalidRequest('there are several Authorization headers');
  const secret = parameters.get('client_secret');
  if (line !== undefined) {
    if (secret !== undefined) throw invalidRequest('the client uses two ways to authenticate');
    const credentials = readBasic(line);
    const named = parameters.get('client_id');
    if (named !== undefined && named !== credentials.id) throw invalidRequest('client_id is not the one of the header');
    return credentials;
  }
  if (secret === undefined) return undefined;
  const id = parameters.get('client_id');
  if (id === undefined) throw invalidRequest('client_id is missing');
  return { id, secrets: [Buffer.from(secret)] };
}

/**
 * RFC 6749 encodes id and secret as in a form before HTTP Basic does. Many clients do not, and of these some send UTF-8
 * and some Latin-1. The id has only characters that are the same either way.
 */
function readBasic(line: string): ClientCredentials {
  const [, encoded = ''] = BASIC.exec(line) ?? [];
  const bytes = Buffer.from(encoded, 'base64');
  const colon = bytes.indexOf(':');
  if (colon < 0) throw invalidClient('the Authorization header is not HTTP Basic with an id and a secret');
  const raw = bytes.subarray(colon + 1);
  const decoded = formDecoded(raw.toString('latin1'));
  return {
    id: formDecoded(bytes.subarray(0, colon).toString('latin1')) ?? '',
    secrets: [raw, Buffer.from(raw.toString('latin1')), ...(decoded === undefined ? [] : [Buffer.from(decoded)])],
  };
}

/** @returns undefined if it is not the encoding of a text */
function formDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
