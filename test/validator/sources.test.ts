// The proof that a validator says the same of a token by the feed and by the answers of the real service.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { makeSessionId } from '../../src/core/token/session-id.js';
import type { Source, Validator } from '../../src/validator/api.js';
import { buildValidator } from '../../src/validator/build-validator.js';
import * as forge from '../attacks/forge.js';
import { type RunningNode, Stage } from '../e2e/stage.js';
import { until } from '../support/waiting.js';

const { authentic, goodClaims } = forge;

type Change = Record<string, unknown>;

/** What is changed in the claims of a good token, or in its header. `undefined`: the claim is missing. */
const CHANGES: Readonly<Record<string, { readonly claims?: Change; readonly header?: Change }>> = {
  good: {},
  'another issuer': { claims: { iss: 'https://other.example' } },
  'an empty issuer': { claims: { iss: '' } },
  'no issuer': { claims: { iss: undefined } },
  'an issuer that is no string': { claims: { iss: 7 } },
  'an issuer that is null': { claims: { iss: null } },
  'another audience': { claims: { aud: 'other' } },
  'other audiences': { claims: { aud: ['other', 'another'] } },
  'one of the audiences': { claims: { aud: ['other', 'web'] } },
  'a list of no audience': { claims: { aud: [] } },
  'an empty audience': { claims: { aud: '' } },
  'a list with an empty audience': { claims: { aud: [''] } },
  'no audience': { claims: { aud: undefined } },
  'an audience that is no string': { claims: { aud: 7 } },
  'an audience that is null': { claims: { aud: null } },
  'a list with a number': { claims: { aud: ['api', 7] } },
  'neither issuer nor audience': { claims: { iss: undefined, aud: undefined } },
  'another issuer and no audience': { claims: { iss: 'https://other.example', aud: undefined } },
  'no subject': { claims: { sub: undefined } },
  'no session': { claims: { sid: undefined } },
  'a session that is no UUIDv7': { claims: { sid: '00000000-0000-4000-8000-000000000000' } },
  'the jti of another token': { claims: { jti: 'a0.0' } },
  'no exp': { claims: { exp: undefined } },
  'no iat': { claims: { iat: undefined } },
  'an exp with a fraction': { claims: { exp: 2e9 + 0.5 } },
  'the type of a refresh token': { claims: { token_type: 'refresh' } },
  'another typ': { header: { typ: 'JWT' } },
  'the typ of an introspection': { header: { typ: 'token-introspection+jwt' } },
  'an unknown key': { header: { kid: 'unknown' } },
  'no key': { header: { kid: undefined } },
  'another algorithm': { header: { alg: 'HS256' } },
  'an nbf in the future': { claims: { nbf: Math.floor(Date.now() / 1000) + 3600 } },
  'an exp in the past': { claims: { iat: 1_600_000_000, exp: 1_600_000_300 } },
};

const SETTINGS: Readonly<Record<string, Record<string, string>>> = {
  'issuer and audience': { JWT_ISSUER: forge.ISSUER, JWT_AUDIENCE: 'api,web' },
  'an issuer alone': { JWT_ISSUER: forge.ISSUER },
  'an audience alone': { JWT_AUDIENCE: 'api,web' },
  neither: {},
};

describe('a validator by the feed and one by the answers of the service', () => {
  const stage = new Stage();
  const validators: Validator[] = [];
  let keys: string;
  before(async () => {
    keys = await stage.folder();
    writeFileSync(join(keys, 'es256.pem'), forge.ecPem, { mode: 0o600 });
  });
  afterEach(async () => {
    for (const each of validators.splice(0)) await each.close();
  });
  after(() => stage.clear());

  let made = 0;
  function token({ claims = {}, header = {} }: (typeof CHANGES)[string] = {}): string {
    const sid = makeSessionId(Date.now(), Buffer.from(`${made++}`.padStart(10, '0')));
    // The log of a new store is complete only for a later `iat`.
    const iat = Math.floor(Date.now() / 1000) + 9;
    return authentic(goodClaims({ sid, jti: `a${sid}.0`, iat, exp: iat + 300, ...claims }), header);
  }

  async function by(source: Source, node: RunningNode, own: object): Promise<Validator> {
    const each = buildValidator({ address: node.process.address, deadline: '10s', source, ...own });
    validators.push(each);
    await each.ready();
    return each;
  }

  async function verdict(each: Validator, text: string): Promise<string> {
    const result = await each.validate(text, { consistency: 'strict' });
    return result.active ? 'active' : result.problem;
  }

  for (const [settings, env] of Object.entries(SETTINGS)) {
    it(`say the same, with the same problem, where the service has ${settings}`, async () => {
      const node = await stage.serveHere(await stage.folder(), { ...env, JWT_KEYS_DIR: keys });
      for (const own of [{}, { issuer: forge.ISSUER, audience: 'web' }]) {
        const [feed, answers] = [await by('feed', node, own), await by('answers', node, own)];
        await until(() => feed.validateNow(token({ claims: { aud: ['api', 'web'] } }))?.active ?? false);
        const said: Record<string, string> = {};
        const wanted: Record<string, string> = {};
        for (const [name, change] of Object.entries(CHANGES)) {
          const text = token(change);
          said[name] = await verdict(feed, text);
          wanted[name] = await verdict(answers, text);
          if (Object.keys(own).length === 0) expect(wanted[name], name).to.equal(await node.client.verdict(text));
        }
        expect(said).to.deep.equal(wanted);
        expect(new Set(Object.values(said)).size).to.be.above(4);
        // The feed decides on the good one itself, so that these are two ways and not one.
        expect(feed.state().decided).to.be.above(0);
      }
    });
  }
});
