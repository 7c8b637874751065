// The OpenAPI document, made from the table of routes and from the parts that all routes share.

import { COMPONENTS } from './components.js';
import { type Fragment, type Operation, responseRef } from './operation.js';

/** What the document needs to know of a route. */
export interface DescribedRoute {
  /** Undefined: all methods. */
  readonly methods: readonly string[] | undefined;
  readonly ignoresBody: boolean;
  readonly operation: Operation;
}

/** The methods that OpenAPI 3.1 has. */
const METHODS = ['get', 'head', 'post', 'put', 'patch', 'delete', 'options', 'trace'];

const DESCRIPTION = `Refreshes and ends sessions, and says whether access tokens are active. Each path works with and
without a last slash. Every path with listed methods also answers OPTIONS, and preflights of pages that may call it;
another method gets 405, another path 404.`.replaceAll('\n', ' ');

const TAGS: Readonly<Record<Operation['tag'], string>> = {
  Sessions: 'For browsers and apps: the pair of tokens',
  OAuth: 'For OAuth clients, where OAUTH_CLIENTS is set',
  Proxies: 'Forward authentication',
  Metadata: 'What clients and verifiers need to know',
  Probes: 'For supervisors and load balancers',
};

/** @param routes by their paths, in the order of the document */
export function openApiDocument(routes: ReadonlyMap<string, DescribedRoute>, version: string): Fragment {
  const ids = new Map<string, number>();
  const paths = [...routes].map(([path, route]): [string, Fragment] => {
    // A second path of a route needs ids of its own.
    const count = (ids.get(route.operation.id) ?? 0) + 1;
    ids.set(route.operation.id, count);
    return [path, pathItem(route, count > 1 ? String(count) : '')];
  });
  const tags = [...routes.values()].map(({ operation }) => operation.tag);
  return {
    openapi: '3.1.1',
    info: {
      title: 'Latchkey',
      version,
      summary: 'The REST side of a token service',
      description: DESCRIPTION,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: [...new Set(tags)].map((name) => ({ name, description: TAGS[name] })),
    paths: Object.fromEntries(paths),
    components: COMPONENTS,
  };
}

function pathItem(route: DescribedRoute, suffix: string): Fragment {
  const methods = route.methods?.map((method) => method.toLowerCase()) ?? METHODS;
  return Object.fromEntries(
    methods.map((method, index) => {
      const name = index === 0 ? '' : method.charAt(0).toUpperCase() + method.slice(1);
      return [method, operationObject(route, { operationId: `${route.operation.id}${name}${suffix}` })];
    }),
  );
}

function operationObject({ operation, ignoresBody }: DescribedRoute, id: Fragment): Fragment {
  const { tag, summary, description, security, parameters, body, isBodyOptional = false, responses } = operation;
  return {
    ...id,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    security: security?.map((scheme) => (scheme === 'none' ? {} : { [scheme]: [] })) ?? [],
    ...(parameters ? { parameters } : {}),
    ...(body && !ignoresBody ? { requestBody: { required: !isBodyOptional, content: contentOf(body) } } : {}),
    responses: { ...COMMON, ...(body ? OF_BODIES : {}), ...responses },
  };
}

const contentOf = (body: NonNullable<Operation['body']>): Fragment =>
  Object.fromEntries(Object.entries(body).map(([type, schema]) => [type, { schema }]));

/** What the gateway may answer to any request, before its route. */
const COMMON: Fragment = {
  400: responseRef('Malformed'),
  408: responseRef('Timeout'),
  417: responseRef('ExpectationFailed'),
  429: responseRef('TooManyRequests'),
  431: responseRef('HeadersTooLarge'),
};

const OF_BODIES: Fragment = { 413: responseRef('TooLarge'), 415: responseRef('UnsupportedMediaType') };
