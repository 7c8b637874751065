// Tests of the metadata of the OAuth endpoints: what it says, where it is, and which issuers have one.

import { expect } from 'chai';
import { readGatewaySettings } from '../../gateway/config.js';
import { readPublicUrls } from '../../gateway/oauth/public-urls.js';
import { ConfigError, Environment, type Variables } from '../../src/platform/env.js';
import { ISSUER_TOKEN } from '../support/processes.js';
import { OAuthScene } from './oauth-scene.js';

const PATH = '/.well-known/oauth-authorization-server';
const ISSUER = 'https://login.example.com';
const METHODS = ['client_secret_basic', 'client_secret_post'];

describe('gateway: the metadata of OAuth', () => {
  let scene: OAuthScene | undefined;
  afterEach(async () => {
    await scene?.stop();
    scene = undefined;
  });
  const start = async (variables: Variables): Promise<OAuthScene> => {
    scene = await OAuthScene.start(variables);
    return scene;
  };

  it('names the endpoints at the origin of the issuer, and how to authenticate at each', async () => {
    const response = await (await start({ JWT_ISSUER: ISSUER })).ask(PATH);
    expect(response.status).to.equal(200);
    expect(await response.json()).to.deep.equal({
      issuer: ISSUER,
      introspection_endpoint: `${ISSUER}/oauth2/introspect`,
      introspection_endpoint_auth_methods_supported: METHODS,
      revocation_endpoint: `${ISSUER}/oauth2/revoke`,
      revocation_endpoint_auth_methods_supported: [...METHODS, 'none'],
    });
  });

  it('names global revocation where that is on, and other URLs where they are set', async () => {
    const base = 'https://api.example.com/auth';
    const variables = { JWT_ISSUER: ISSUER, OAUTH_BASE_URL: `${base}/`, REVOKER_TOKEN: ISSUER_TOKEN };
    const body = (await (await start(variables)).ask(PATH).then((response) => response.json())) as object;
    expect(body).to.deep.include({
      issuer: ISSUER,
      introspection_endpoint: `${base}/oauth2/introspect`,
      global_token_revocation_endpoint: `${base}/oauth2/global-token-revocation`,
      global_token_revocation_endpoint_auth_methods_supported: ['client_secret_basic'],
    });
  });

  it('is at the path of the issuer, and at no other', async () => {
    const { ask } = await start({ JWT_ISSUER: `${ISSUER}/tenants/one` });
    const at = (path: string) => ask.call(scene, path);
    for (const path of [`${PATH}/tenants/one`, `${PATH}/tenants/one/`]) {
      expect((await at(path).then((response) => response.json())) as object).to.deep.include({
        ...{ issuer: `${ISSUER}/tenants/one`, revocation_endpoint: `${ISSUER}/oauth2/revoke` },
      });
    }
    for (const path of [PATH, `${PATH}/tenants`, `/tenants/one${PATH}`]) {
      expect((await at(path)).status, path).to.equal(404);
    }
  });

  it('may be kept by caches as long as the keys, and be read by every page', async () => {
    const running = await start({ JWT_ISSUER: ISSUER });
    const first = await running.ask(PATH, { headers: { origin: 'https://any.example' } });
    expect(first.headers.get('access-control-allow-origin')).to.equal('*');
    expect(first.headers.get('cache-control')).to.equal('public, max-age=0');
    const again = await running.ask(PATH, { headers: { 'if-none-match': first.headers.get('etag') ?? '' } });
    expect([again.status, await again.text()]).to.deep.equal([304, '']);
  });

  it('is not there where the issuer is no https URL, or there are no clients', async () => {
    expect((await (await start({ JWT_ISSUER: 'login' })).ask(PATH)).status).to.equal(404);
    await scene?.stop();
    expect((await (await start({ JWT_ISSUER: ISSUER, OAUTH_CLIENTS: '' })).ask(PATH)).status).to.equal(404);
  });

  it('answers 503 while the service cannot answer', async () => {
    const running = await start({ JWT_ISSUER: ISSUER });
    await running.service.server.stop(0);
    const response = await running.ask(PATH);
    expect([response.status, response.headers.get('cache-control')]).to.deep.equal([503, 'no-store']);
  });

  describe('by its issuer', () => {
    const read = (issuer: string, variables: Variables = {}) => readPublicUrls(new Environment(variables), issuer);

    for (const [issuer, path, base] of [
      ['https://a.example', '', 'https://a.example'],
      ['https://a.example/', '', 'https://a.example'],
      ['https://a.example:8443/x/y/', '/x/y', 'https://a.example:8443'],
    ] as const) {
      it(`is at ${PATH}${path} for ${issuer}`, () => {
        expect(read(issuer)).to.deep.equal({ issuer, metadataPath: PATH + path, base });
      });
    }

    for (const issuer of [
      ...['', 'login', 'http://a.example', 'https://a.example?x', 'https://a.example/?', 'https://a.example#x'],
      ...['https://u:p@a.example', 'https://a.example/:id', 'https://a.example/*', 'https://a.example/%41'],
      ...['https://A.example', 'https://a.example:443', 'https://a.example/x//y', 'https://a.example/./x'],
    ]) {
      it(`is nowhere for ${issuer || 'an empty one'}`, () => expect(read(issuer)).to.equal(undefined));
    }
  });

  it('takes no other base than a URL that clients can use', () => {
    const faultsOf = (OAUTH_BASE_URL: string): string => {
      const env = new Environment({ OAUTH_BASE_URL });
      readGatewaySettings(env);
      try {
        env.check();
        return '';
      } catch (error) {
        return error instanceof ConfigError ? error.message : `${error}`;
      }
    };
    for (const good of ['https://a.example', 'https://a.example/x/', 'http://127.0.0.1:8080', 'http://[::1]:1']) {
      expect(faultsOf(good)).to.equal('');
    }
    for (const bad of ['a.example', 'http://a.example', 'https://a.example?x', 'https://a.example/a b']) {
      expect(faultsOf(bad), bad).to.include(`OAUTH_BASE_URL: found ${JSON.stringify(bad)}, wanted a URL such as`);
    }
  });
});
