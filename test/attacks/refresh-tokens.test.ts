// The named attacks with refresh tokens: whatever is no token of ours is traded for nothing, and ends nothing.

import { createPublicKey } from 'node:crypto';
import { expect } from 'chai';
import { failureOfCall, type TestClient } from '../support/auth-client.js';
import { JWT_SECRET } from '../support/processes.js';
import { AttackedService } from './attacked-service.js';
import * as forge from './forge.js';

describe('an attacker with a refresh token', () => {
  let attacked: AttackedService;
  let client: TestClient;
  before(async () => {
    attacked = await AttackedService.start();
    ({ client } = attacked);
  });
  after(() => attacked.stop());

  const claims = forge.goodRefreshClaims;
  /** That a token is refused with this reason, to be refreshed and to be logged out. */
  async function refused(reason: string, token: string, name: string): Promise<void> {
    for (const call of [client.refresh(token), client.logout({ refreshToken: token })]) {
      expect(await failureOfCall(call), name).to.include({ code: 'UNAUTHENTICATED', reason });
    }
  }

  it('would be believed with the key: the forger of these tests is awake', async () => {
    const { refreshToken } = await client.refresh(forge.authenticRefresh(claims()));
    expect(refreshToken).to.be.a('string');
  });

  it('drops the signature with `alg: none`, in every spelling', async () => {
    for (const alg of forge.NONES) {
      const input = `${forge.encode({ alg, typ: 'rt+jwt', kid: forge.es256.refreshKid })}.${forge.encode(claims())}`;
      await refused('MALFORMED', `${input}.`, `${alg}, empty`);
      await refused('BAD_SIGNATURE', `${input}.${forge.hmac(input, forge.es256.refreshSecret)}`, `${alg}, signed`);
    }
  });

  it('signs with what it may know: the public key, JWT_SECRET as it is, nothing', async () => {
    const publicKey = createPublicKey(forge.ecPrivate);
    const secrets = {
      pem: publicKey.export({ format: 'pem', type: 'spki' }),
      der: publicKey.export({ format: 'der', type: 'spki' }),
      jwk: JSON.stringify(publicKey.export({ format: 'jwk' })),
      kid: forge.es256.kid,
      secret: JWT_SECRET,
      nothing: '',
    };
    for (const [name, secret] of Object.entries(secrets)) {
      await refused('BAD_SIGNATURE', forge.authenticRefresh(claims(), {}, secret), name);
      const kid = forge.hs256.refreshKid;
      await refused('BAD_SIGNATURE', forge.authenticRefresh(claims(), { kid }, secret), `${name}, as JWT_SECRET's`);
    }
  });

  it('has a back end that verifies with JWT_SECRET sign it under the name of access tokens', async () => {
    const token = forge.authenticHs256(claims(), { typ: 'rt+jwt', kid: forge.hs256.kid });
    await refused('WRONG_TYPE', token, 'HS256');
    const input = forge.authentic(claims(), { typ: 'rt+jwt' });
    await refused('WRONG_TYPE', input, 'ES256');
  });

  it('names no key, or brings one', async () => {
    for (const kid of [undefined, 'r.', 'r', '../../etc/passwd', '__proto__', `r.${forge.es256.refreshKid}`]) {
      await refused('UNKNOWN_KEY', forge.authenticRefresh(claims(), { kid }), `${kid}`);
    }
    const jwk = { kty: 'oct', k: forge.encode('mine') };
    await refused('BAD_SIGNATURE', forge.authenticRefresh(claims(), { jwk }, 'mine'), 'jwk');
    await refused('MALFORMED', forge.authenticRefresh(claims(), { crit: ['exp'] }), 'crit');
  });

  it('swaps `typ`, or the kind among the claims', async () => {
    for (const typ of ['JWT', 'at+jwt', 'RT+JWT', 'application/rt+jwt', '', undefined]) {
      await refused('WRONG_TYPE', forge.authenticRefresh(claims(), { typ }), `${typ}`);
    }
    await refused('WRONG_TYPE', forge.authenticRefresh(claims({ token_type: 'access' })), 'access');
    await refused('MALFORMED', forge.authenticRefresh(claims({ jti: forge.goodClaims()['jti'] })), 'jti');
  });

  it('writes odd claims', async () => {
    const odd = (name: string, text: string): string =>
      forge.authenticRefresh(JSON.stringify(claims()).replace(new RegExp(`"${name}":[^,}]+`), `"${name}":${text}`));
    for (const text of ['"9999999999"', '9999999999.5', '1e400', '-1', 'null']) {
      await refused('MALFORMED', odd('exp', text), `exp ${text}`);
    }
    for (const text of ['-1', '1.5', '2147483648', '"0"', 'null', '[0]']) {
      await refused('MALFORMED', odd('gen', text), `gen ${text}`);
    }
    for (const text of ['""', '"\\ud800"', '"\\ufffd"', `"${'x'.repeat(256)}"`, '7', 'null', '{}']) {
      await refused('MALFORMED', odd('sub', text), `sub ${text}`);
    }
    await refused('MISSING_CLAIM', forge.authenticRefresh(claims({ exp: undefined })), 'exp');
    await refused('WRONG_ISSUER', forge.authenticRefresh(claims({ iss: 'https://evil.example' })), 'iss');
    await refused('WRONG_AUDIENCE', forge.authenticRefresh(claims({ aud: ['other'] })), 'aud');
  });

  it('names itself as a key of the store, and gets a pair of its own: no other subject is touched', async () => {
    const victim = await client.issue('victim');
    for (const sub of ['{victim}', 'victim:s', 'u:victim', 'victim\n', 'victim\u0000', `s:${victim.sessionId}`]) {
      const own = forge.goodRefreshClaims({ sub });
      expect((await client.refresh(forge.authenticRefresh(own))).sessionId, sub).to.equal(own['sid']);
      await client.logout({ refreshToken: forge.authenticRefresh(own), allSessions: true }).catch(() => {});
    }
    for (const sid of [`${victim.sessionId}\n`, `{${victim.sessionId}}`, victim.sessionId.toUpperCase(), 'x:y']) {
      await refused('MALFORMED', forge.authenticRefresh(claims({ sid, jti: `r${sid}.0` })), sid);
    }
    expect(await client.verdict(victim.accessToken)).to.equal('active');
  });

  it('sends a token of 8 KiB, and one byte more', async () => {
    const authentic = (header: object, payload: object): string =>
      forge.authenticRefresh({ ...claims(), ...payload }, { ...header });
    // Authentic, and yet too large: its successor would be longer than we sign.
    await client.logout({ refreshToken: forge.ofLength(8192, authentic) });
    const over = await failureOfCall(client.logout({ refreshToken: forge.ofLength(8193, authentic) }));
    expect(over).to.include({ code: 'INVALID_ARGUMENT', field: 'refresh_token', fieldReason: 'TOO_LARGE' });
  });
});
