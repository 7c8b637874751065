// The parameters of a request to an OAuth endpoint: a form, without repeated parameters.

import { isUtf8 } from 'node:buffer';
import { invalidRequest } from './errors.js';

const FORM = 'application/x-www-form-urlencoded';

/** The parameters with a value: one without counts as missing (RFC 6749, section 3.2). */
export type Parameters = ReadonlyMap<string, string>;

export const NO_PARAMETERS: Parameters = new Map();

/** @throws HttpError invalid_request */
export function readForm(body: Buffer, contentType: string): Parameters {
  if (contentType.split(';', 1)[0]?.trim().toLowerCase() !== FORM) {
    throw invalidRequest(`the Content-Type must be ${FORM}`);
  }
  if (!isUtf8(body)) throw invalidRequest('the body is not UTF-8');
  const parameters = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(body.toString())) {
    // RFC 6749, section 3.2. A proxy could look at one of them, and we at the other.
    if (parameters.has(name)) throw invalidRequest('a parameter is repeated');
    parameters.set(name, value);
  }
  for (const [name, value] of parameters) if (value === '') parameters.delete(name);
  return parameters;
}
