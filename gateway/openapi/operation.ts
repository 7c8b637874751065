// The description of one route in the OpenAPI document, and the functions that write such descriptions.

/** A part of an OpenAPI document. */
export type Fragment = Readonly<Record<string, unknown>>;

/** The description of a route. */
export interface Operation {
  /** Unique: generators of clients name their methods by it. */
  readonly id: string;
  readonly tag: 'Sessions' | 'OAuth' | 'Proxies' | 'Metadata' | 'Probes';
  /** One line, without a full stop. */
  readonly summary: string;
  readonly description?: string;
  /** The schemes that a request may authenticate by, or `none`; without it no request does. */
  readonly security?: readonly ('bearer' | 'client' | 'none')[];
  readonly parameters?: readonly Fragment[];
  /** Schemas by media type; undefined: the route reads no body. */
  readonly body?: Readonly<Record<string, Fragment>>;
  /** Whether a request may have no body. */
  readonly isBodyOptional?: boolean;
  /** By status. Responses that each route may give are not among them. */
  readonly responses: Readonly<Record<number, Fragment>>;
}

const JSON_TYPE = 'application/json';

export const schemaRef = (name: string): Fragment => ({ $ref: `#/components/schemas/${name}` });
export const responseRef = (name: string): Fragment => ({ $ref: `#/components/responses/${name}` });
export const headerRef = (name: string): Fragment => ({ $ref: `#/components/headers/${name}` });

/** The header fields that each response has. */
const EVERY = { 'X-Request-Id': headerRef('RequestId'), 'Cache-Control': headerRef('CacheControl') };

/** @param headers beside those of each response */
export const response = (description: string, content: Fragment = {}, headers: Fragment = {}): Fragment => ({
  description,
  headers: { ...EVERY, ...headers },
  ...(Object.keys(content).length > 0 ? { content } : {}),
});

/** A response with JSON of a schema in the components. */
export const jsonResponse = (description: string, schema: string, headers: Fragment = {}): Fragment =>
  response(description, { [JSON_TYPE]: { schema: schemaRef(schema) } }, headers);

/** Responses that caches may keep. */
export const cacheableResponses = (description: string, schema: string): Readonly<Record<number, Fragment>> => ({
  200: jsonResponse(description, schema, { ETag: headerRef('ETag') }),
  304: response('The version that If-None-Match names is the current one', {}, { ETag: headerRef('ETag') }),
});

export const IF_NONE_MATCH: Fragment = {
  name: 'If-None-Match',
  in: 'header',
  description: 'The ETag of the version that the client has',
  schema: { type: 'string' },
};

/** A body that is JSON or a form, of the same schema. */
export const fieldsBody = (schema: string): Readonly<Record<string, Fragment>> =>
  Object.fromEntries(
    [JSON_TYPE, 'application/x-www-form-urlencoded', 'multipart/form-data'].map((type) => [type, schemaRef(schema)]),
  );
