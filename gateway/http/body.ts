// Owns the reading of a request's body: JSON or a form, as djangorestframework parses them, into fields.

import { isUtf8 } from 'node:buffer';
import { Busboy } from '@fastify/busboy';
import { badFields, badRequest, Refusal, unsupportedMediaType } from './responses.js';

/** The fields of a body. A JSON value is as parsed; one of a form is a text, or FILE. */
export interface Fields {
  readonly form: boolean;
  readonly values: ReadonlyMap<string, unknown>;
}

/** Stands for an uploaded file, whose content is dropped: a value of no use to any field. */
export const FILE = Symbol('file');

export const NO_FIELDS: Fields = { form: false, values: new Map() };

/**
 * Reads a body. An empty one has no fields, whatever its type says.
 * @throws Refusal 400 or 415; its text never repeats the body, which holds a token
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
      throw new Refusal(unsupportedMediaType(contentType));
  }
}

function readJson(body: Buffer): ReadonlyMap<string, unknown> {
  if (!isUtf8(body)) throw new Refusal(badRequest('JSON parse error - the body is not UTF-8'));
  const text = body.toString();
  const value = parse(text);
  if (value === null) throw new Refusal(badFields({ non_field_errors: ['No data provided'] }));
  if (typeof value !== 'object' || Array.isArray(value)) {
    const fault = `Invalid data. Expected a dictionary, but got ${pythonType(value, text)}.`;
    throw new Refusal(badFields({ non_field_errors: [fault] }));
  }
  // A map of the own properties: a key such as `__proto__` is a name like any other.
  return new Map(Object.entries(value));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // Of the parser's message only the position may pass: the rest can quote the body.
    const [, position] = /in JSON at position (\d+)/.exec(error instanceof Error ? error.message : '') ?? [];
    const where = position === undefined ? '' : `: char ${position}`;
    throw new Refusal(badRequest(`JSON parse error - the body is not valid JSON${where}`));
  }
}

/** @param text the whole document, which alone tells `1` from `1.0` */
function pythonType(value: unknown, text: string): string {
  if (Array.isArray(value)) return 'list';
  if (typeof value === 'string') return 'str';
  if (typeof value === 'boolean') return 'bool';
  return /^\s*-?\d+\s*$/.test(text) ? 'int' : 'float';
}

/** The whole body is here already, so that its limit bounds parts, names and values alike. */
function readMultipart(body: Buffer, contentType: string): Promise<ReadonlyMap<string, unknown>> {
  const fault = new Refusal(badRequest('Multipart form parse error - the body does not match its boundary'));
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
