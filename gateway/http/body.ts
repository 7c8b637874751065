// Parsers of the request body: JSON, form and multipart into fields, as djangorestframework parses them.

import { isUtf8 } from 'node:buffer';
import { Busboy } from '@fastify/busboy';
import type { FastifyRequest } from 'fastify';
import { badFields, badRequest, HttpError, unsupportedMediaType } from './responses.js';

/** The fields of a body. JSON values are as parsed; form values are strings, or FILE. */
export interface Fields {
  readonly form: boolean;
  readonly values: ReadonlyMap<string, unknown>;
}

/** The value of an uploaded file. Its content is dropped, because no field takes a file. */
export const FILE = Symbol('file');

export const NO_FIELDS: Fields = { form: false, values: new Map() };

/** The body of a request, as it was received. */
export const bodyOf = ({ body }: FastifyRequest): Buffer => (body instanceof Buffer ? body : Buffer.alloc(0));

/**
 * Reads a body. An empty body has no fields, whatever its Content-Type.
 * Multipart is here because djangorestframework's token views accept it, and clients rely on that.
 * @throws HttpError 400 or 415. Its text never quotes the body, because the body holds a token
 */
export async function readBody(body: Buffer, contentType: string): Promise<Fields> {
  if (body.length === 0) return NO_FIELDS;
  switch (contentType.split(';', 1)[0]?.trim().toLowerCase()) {
    case 'application/json':
      return { form: false, values: readJson(body) };
    case 'application/x-www-form-urlencoded':
      return { form: true, values: new Map(new URLSearchParams(body.toString())) };
    case 'multipart/form-data':
      return { form: true, values: await readMultipart(body, contentType) };
    default:
      throw new HttpError(unsupportedMediaType(contentType));
  }
}

function readJson(body: Buffer): ReadonlyMap<string, unknown> {
  if (!isUtf8(body)) throw new HttpError(badRequest('JSON parse error - the body is not UTF-8'));
  const text = body.toString();
  const value = parse(text);
  if (value === null) throw new HttpError(badFields({ non_field_errors: ['No data provided'] }));
  if (typeof value !== 'object' || Array.isArray(value)) {
    const fault = `Invalid data. Expected a dictionary, but got ${pythonType(value, text)}.`;
    throw new HttpError(badFields({ non_field_errors: [fault] }));
  }
  // A map, so that a key such as `__proto__` is a name like any other.
  return new Map(Object.entries(value));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // Only the position: the rest of the parser's message can quote the body.
    const [, position] = /in JSON at position (\d+)/.exec(error instanceof Error ? error.message : '') ?? [];
    const where = position === undefined ? '' : `: char ${position}`;
    throw new HttpError(badRequest(`JSON parse error - the body is not valid JSON${where}`));
  }
}

/** @param text the whole document: only the text distinguishes `1` from `1.0` */
function pythonType(value: unknown, text: string): string {
  if (Array.isArray(value)) return 'list';
  if (typeof value === 'string') return 'str';
  if (typeof value === 'boolean') return 'bool';
  return /^\s*-?\d+\s*$/.test(text) ? 'int' : 'float';
}

/** The body is complete, so its size limit also bounds the parts, their names and their values. */
function readMultipart(body: Buffer, contentType: string): Promise<ReadonlyMap<string, unknown>> {
  const fault = new HttpError(badRequest('Multipart form parse error - the body does not match its boundary'));
  const values = new Map<string, unknown>();
  return new Promise((resolve, reject) => {
    try {
      const isPartAFile = (_field: unknown, _type: unknown, fileName: string | undefined) => fileName !== undefined;
      const parser = new Busboy({ headers: { 'content-type': contentType }, isPartAFile });
      parser.on('field', (name, value) => values.set(name, value));
      parser.on('file', (name, stream) => {
        values.set(name, FILE);
        stream.on('error', () => reject(fault)).resume();
      });
      parser.on('error', () => reject(fault));
      parser.on('finish', () => resolve(values));
      parser.end(body);
    } catch {
      reject(fault);
    }
  });
}
