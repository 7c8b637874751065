// Tests of the OpenAPI document: it describes the table of routes, it is whole, and it is served.

import { expect } from 'chai';
import { openApiDocument } from '../../gateway/openapi/document.js';
import { readText } from '../docs/markdown.js';
import { openApiText } from '../openapi/text.js';
import { allRoutes } from './all-routes.js';
import { RunningGateway } from './running-gateway.js';

type Operations = Readonly<Record<string, { readonly operationId: string; readonly requestBody?: unknown }>>;
interface Document {
  readonly info: { readonly version: string };
  readonly paths: Readonly<Record<string, Operations>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

const document = (variables: NodeJS.ProcessEnv = {}): Document =>
  openApiDocument(allRoutes(variables), '1.2.3') as unknown as Document;

describe('the OpenAPI document', () => {
  it('describes every route by its methods, and no other', () => {
    const described = Object.entries(document().paths).map(([path, operations]) => [path, Object.keys(operations)]);
    const every = ['get', 'head', 'post', 'put', 'patch', 'delete', 'options', 'trace'];
    const served = [...allRoutes()].map(([path, { methods }]) => [
      path,
      methods?.map((method) => method.toLowerCase()) ?? every,
    ]);
    expect(described).to.deep.equal(served);
  });

  it('has ids that are unique, also where a route has several paths', () => {
    const { paths } = document({ REFRESH_PATHS: '/a,/b', LOGOUT_PATHS: '/c,/d/e' });
    expect(paths).to.include.keys('/a', '/b', '/c', '/d/e');
    const ids = Object.values(paths).flatMap((path) => Object.values(path).map(({ operationId }) => operationId));
    expect(ids).to.include.members(['refresh', 'refresh2', 'keySetHead']);
    expect(new Set(ids).size).to.equal(ids.length);
  });

  it('refers only to components that are there, and uses each of them', () => {
    const { components, ...rest } = document();
    const names = Object.entries(components).flatMap(([kind, all]) =>
      kind === 'securitySchemes' ? [] : Object.keys(all).map((name) => `#/components/${kind}/${name}`),
    );
    const text = JSON.stringify([rest, components]);
    const used = [...text.matchAll(/"\$ref":"([^"]+)"/g)].map(([, reference]) => reference);
    expect([...new Set(used)].sort()).to.deep.equal(names.sort());
  });

  it('is docs/openapi.json, which `npm run openapi` writes', () => {
    expect(readText('docs/openapi.json')).to.equal(openApiText());
  });

  it('is served to every page, may be cached, and has only what this gateway has', async () => {
    const gateway = await RunningGateway.start();
    try {
      const first = await fetch(`${gateway.url}/openapi.json`, { headers: { origin: 'https://docs.example.com' } });
      expect([first.status, first.headers.get('access-control-allow-origin')]).to.deep.equal([200, '*']);
      expect(first.headers.get('cache-control')).to.equal('public, max-age=300');
      const { info, paths } = (await first.json()) as Document;
      expect(info.version).to.equal((JSON.parse(readText('package.json')) as { version: string }).version);
      expect(paths).to.include.keys('/api/auth/token/refresh', '/openapi.json').and.not.include.keys('/oauth2/revoke');
      const etag = first.headers.get('etag') ?? '';
      const again = await fetch(`${gateway.url}/openapi.json`, { headers: { 'if-none-match': etag } });
      expect([again.status, await again.text()]).to.deep.equal([304, '']);
    } finally {
      await gateway.stop();
    }
  });
});
