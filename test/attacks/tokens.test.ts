// The named attacks on tokens, one test each, over the wire of a running service.

import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect } from 'chai';
import { failureOfCall, type TestClient } from '../support/auth-client.js';
import { verificationKeyOf } from '../support/verification-key.js';
import { AttackedService } from './attacked-service.js';
import * as forge from './forge.js';

describe('an attacker', () => {
  let attacked: AttackedService;
  let client: TestClient;
  before(async () => {
    attacked = await AttackedService.start();
    ({ client } = attacked);
  });
  after(() => attacked.stop());

  const verdict = (token: string): Promise<string> => client.verdict(token);
  const each = async (wanted: string, tokens: Record<string, string>): Promise<void> => {
    for (const [name, token] of Object.entries(tokens)) expect(await verdict(token), name).to.equal(wanted);
  };
  const claims = forge.goodClaims;

  it('would be believed with the key: the forger of these tests is awake', async () => {
    expect(await verdict(forge.authentic(claims()))).to.equal('active');
    expect(await verdict(forge.authenticHs256(claims()))).to.equal('active');
  });

  it('drops the signature with `alg: none`, in every spelling', async () => {
    for (const alg of forge.NONES) {
      const input = `${forge.encode({ alg, typ: 'at+jwt', kid: forge.es256.kid })}.${forge.encode(claims())}`;
      expect(await verdict(`${input}.`), `${alg}, empty`).to.equal('MALFORMED');
      expect(await verdict(`${input}.${forge.ecdsa(input)}`), `${alg}, signed`).to.equal('BAD_SIGNATURE');
    }
  });

  it('signs by HS256 with the public key as secret', async () => {
    const verify = verificationKeyOf(forge.es256);
    const secrets = {
      pem: verify.export({ format: 'pem', type: 'spki' }),
      der: verify.export({ format: 'der', type: 'spki' }),
      jwk: JSON.stringify(verify.export({ format: 'jwk' })),
    };
    for (const [name, secret] of Object.entries(secrets)) {
      const token = forge.authenticHs256(claims(), { kid: forge.es256.kid }, secret);
      expect(await verdict(token), name).to.equal('BAD_SIGNATURE');
    }
  });

  it('names a key by path, URL, SQL, of another algorithm, or not at all', async () => {
    const kids = [
      '/dev/null',
      '../../etc/passwd',
      'https://evil.example/key',
      "' OR '1'='1",
      '\u0000',
      '__proto__',
      'r.',
    ];
    for (const kid of kids)
      expect(await verdict(forge.authenticHs256(claims(), { kid }, '')), kid).to.equal('UNKNOWN_KEY');
    expect(await verdict(forge.authenticHs256(claims(), { kid: undefined }))).to.equal('UNKNOWN_KEY');
    for (const kid of [0, 1, null, true, {}, [forge.hs256.kid]]) {
      expect(await verdict(forge.authenticHs256(claims(), { kid })), JSON.stringify(kid)).to.equal('MALFORMED');
    }
    expect(await verdict(forge.authentic(claims(), { kid: forge.hs256.kid }))).to.equal('BAD_SIGNATURE');
    expect(await verdict(forge.authenticHs256(claims(), { kid: forge.es256.refreshKid }))).to.equal('BAD_SIGNATURE');
  });

  it('brings a key of its own: jwk, jku, x5u, x5c; it is not used', async () => {
    let asked = 0;
    const host = createServer(() => asked++).listen(0, '127.0.0.1');
    await once(host, 'listening');
    const jwk = { kty: 'oct', k: forge.encode('mine') };
    const url = `http://127.0.0.1:${(host.address() as AddressInfo).port}/keys`;
    const own = forge.authenticHs256(claims(), { kid: 'mine', jwk, jku: url, x5u: url, x5c: [url] }, 'mine');
    expect(await verdict(own)).to.equal('UNKNOWN_KEY');
    const stolenName = forge.authenticHs256(claims(), { jwk, jku: url }, 'mine');
    expect(await verdict(stolenName)).to.equal('BAD_SIGNATURE');
    host.close();
    expect(asked).to.equal(0);
  });

  it('marks extensions as critical', async () => {
    for (const crit of [['exp'], ['b64'], [], 'exp', null]) {
      const token = forge.authentic(claims(), { crit, b64: false });
      expect(await verdict(token), JSON.stringify(crit)).to.equal('MALFORMED');
    }
  });

  it('swaps `typ`', async () => {
    for (const typ of ['JWT', 'rt+jwt', 'at+JWT', 'application/at+jwt', '', null, undefined]) {
      expect(await verdict(forge.authentic(claims(), { typ })), `${typ}`).to.equal('WRONG_TYPE');
    }
  });

  it('sends an access token as a refresh token, and back', async () => {
    const { accessToken, refreshToken } = await client.issue();
    expect(await verdict(refreshToken)).to.equal('WRONG_TYPE');
    expect(await failureOfCall(client.refresh(accessToken))).to.include({
      code: 'UNAUTHENTICATED',
      reason: 'WRONG_TYPE',
    });
    expect(await verdict(forge.authentic(claims({ token_type: 'refresh' })))).to.equal('WRONG_TYPE');
  });

  it('writes a claim twice: what is checked is what is answered', async () => {
    const { sub: _, ...rest } = claims();
    const twice = `{"sub":"root",${JSON.stringify(rest).slice(1, -1)},"sub":"mallory"}`;
    const { active, subject } = await client.validate(forge.authentic(twice));
    expect({ active, subject }).to.deep.equal({ active: true, subject: 'mallory' });
    const late = `${JSON.stringify(claims()).slice(0, -1)},"exp":1}`;
    expect(await verdict(forge.authentic(late))).to.equal('EXPIRED');
    // In the header too: the check of the header and the verification of the signature both use the last one.
    const good = { alg: 'ES256', typ: 'at+jwt', kid: forge.es256.kid };
    const signed = (header: string): string => {
      const input = `${forge.encode(header)}.${forge.encode(claims())}`;
      return `${input}.${forge.ecdsa(input)}`;
    };
    expect(await verdict(signed(`{"alg":"none",${JSON.stringify(good).slice(1)}`))).to.equal('active');
    expect(await verdict(signed(`${JSON.stringify(good).slice(0, -1)},"alg":"none"}`))).to.equal('BAD_SIGNATURE');
    expect(await verdict(signed(`${JSON.stringify(good).slice(0, -1)},"kid":"mine"}`))).to.equal('UNKNOWN_KEY');
  });

  it('writes an odd `exp`', async () => {
    const odd = (exp: string) => forge.authentic(JSON.stringify(claims()).replace(/"exp":\d+/, `"exp":${exp}`));
    const texts = ['"9999999999"', '9999999999.5', '1e400', '-1', 'null', '[9999999999]', 'true', '9007199254740993'];
    for (const text of texts) expect(await verdict(odd(text)), text).to.equal('MALFORMED');
    expect(await verdict(forge.authentic(claims({ exp: undefined })))).to.equal('MISSING_CLAIM');
  });

  it('writes `nbf` in the future; our own `iat` is not judged', async () => {
    const soonS = Math.floor(Date.now() / 1000) + 30;
    expect(await verdict(forge.authentic(claims({ nbf: soonS })))).to.equal('NOT_YET_VALID');
    expect(await verdict(forge.authentic(claims({ iat: soonS })))).to.equal('active');
  });

  it('names another issuer or audience', async () => {
    await each('WRONG_ISSUER', { other: forge.authentic(claims({ iss: 'https://evil.example' })) });
    await each('WRONG_AUDIENCE', {
      other: forge.authentic(claims({ aud: 'other' })),
      others: forge.authentic(claims({ aud: ['other', 'API', ''] })),
      none: forge.authentic(claims({ aud: [] })),
    });
    expect(await verdict(forge.authentic(claims({ aud: ['other', 'web'] })))).to.equal('active');
    await each('MALFORMED', {
      object: forge.authentic(claims({ aud: { api: true } })),
      nested: forge.authentic(claims({ aud: [['api']] })),
      list: forge.authentic(claims({ iss: [forge.ISSUER] })),
    });
  });

  it('signs payloads that are no object, or another token', async () => {
    const payloads = ['[]', 'null', '1', '"x"', 'true', '{', 'no json', JSON.stringify([claims()])];
    for (const payload of payloads) expect(await verdict(forge.authentic(payload)), payload).to.equal('MALFORMED');
    expect(await verdict(forge.authentic(forge.authentic(claims())))).to.equal('MALFORMED');
  });

  it('spells base64url otherwise: padding, white space, the other alphabet, spare bits', async () => {
    const token = forge.authentic(claims());
    const [header = '', payload = '', signature = ''] = token.split('.');
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const respelt = (part: string): string => part.slice(0, -1) + alphabet[alphabet.indexOf(part.slice(-1)) ^ 1];
    // Of lengths that leave spare bits in their last character.
    const spare = (text: string): string => (text.length % 4 === 0 ? '' : text);
    const header0 = { alg: 'ES256', typ: 'at+jwt', kid: forge.es256.kid };
    const oddHeader = ['', 'x'].map((x) => spare(forge.encode({ ...header0, x }))).find((text) => text !== '') ?? '';
    const oddPayload = ['', 'x'].map((x) => spare(forge.encode(claims({ x })))).find((text) => text !== '') ?? '';
    expect(await verdict(`${oddHeader}.${oddPayload}.${forge.ecdsa(`${oddHeader}.${oddPayload}`)}`)).to.equal('active');
    await each('MALFORMED', {
      padding: `${header}.${payload}.${signature}==`,
      space: `${header}.${payload} .${signature}`,
      newline: `${token}\n`,
      tab: `\t${token}`,
      alphabet: `${header}.${payload}.${signature.slice(0, -1)}+`,
      slash: `${header}.${payload}.${signature.slice(0, -1)}/`,
      bits: `${header}.${payload}.${respelt(signature)}`,
      'bits of the header': `${respelt(oddHeader)}.${payload}.${forge.ecdsa(`${respelt(oddHeader)}.${payload}`)}`,
      'bits of the payload': `${header}.${respelt(oddPayload)}.${forge.ecdsa(`${header}.${respelt(oddPayload)}`)}`,
      percent: encodeURIComponent(`${token}=`),
    });
  });

  it('signs ES256 in DER, with zeros, too short, too long', async () => {
    const input = forge.authentic(claims()).split('.').slice(0, 2).join('.');
    const signatures = {
      der: forge.ecdsa(input, 'der'),
      zeros: Buffer.alloc(64).toString('base64url'),
      short: Buffer.alloc(63, 1).toString('base64url'),
      long: Buffer.alloc(65, 1).toString('base64url'),
      one: Buffer.alloc(1).toString('base64url'),
    };
    await each(
      'BAD_SIGNATURE',
      Object.fromEntries(Object.entries(signatures).map(([name, signature]) => [name, `${input}.${signature}`])),
    );
  });

  it('sends too many parts or too few, empty ones, and a JWE', async () => {
    const token = forge.authentic(claims());
    const [header = '', payload = '', signature = ''] = token.split('.');
    const jwe = [forge.encode({ alg: 'dir', enc: 'A256GCM', kid: forge.es256.kid }), '', 'AAAA', 'AAAA', 'AAAA'].join(
      '.',
    );
    await each('MALFORMED', {
      four: `${token}.${signature}`,
      two: `${header}.${payload}`,
      one: header,
      dots: '..',
      'no header': `.${payload}.${signature}`,
      'no payload': `${header}..${signature}`,
      jwe,
      words: 'not a token',
    });
  });

  it('sends NUL, lone surrogates and JSON of 100,000 levels', async () => {
    const nul = forge.authentic(claims({ sub: 'a\u0000b' }));
    expect(await verdict(nul)).to.equal('active');
    expect(await verdict(`${nul}\u0000`)).to.equal('MALFORMED');
    expect(await verdict(forge.authentic(JSON.stringify(claims()).replace('mallory', '\\ud800')))).to.equal(
      'MALFORMED',
    );
    // Beyond what we take as a token, and five times as deep beyond what gRPC takes as a message.
    for (const levels of [100_000, 500_000]) {
      const whole = await failureOfCall(client.validate(forge.authentic('['.repeat(levels) + ']'.repeat(levels))));
      if (levels === 100_000) expect(whole).to.include({ code: 'INVALID_ARGUMENT', fieldReason: 'TOO_LARGE' });
      else expect(whole.code).to.equal('RESOURCE_EXHAUSTED');
      const half = await failureOfCall(client.validate(forge.authentic('['.repeat(levels))));
      expect(half).to.include({ code: 'INVALID_ARGUMENT', fieldReason: 'TOO_LARGE' });
    }
    const asDeepAsFits = `${JSON.stringify(claims()).slice(0, -1)},"x":${'['.repeat(2_700)}${']'.repeat(2_700)}}`;
    expect(await verdict(forge.authentic(asDeepAsFits))).to.equal('MALFORMED');
    expect(
      await verdict(forge.authentic(`${JSON.stringify(claims()).slice(0, -1)},"x":${'['.repeat(5_400)}`)),
    ).to.equal('MALFORMED');
  });

  it('writes a subject or session that looks like a key of the store: no other session is ended', async () => {
    const victim = await client.issue('victim');
    const subjects = [
      'victim:s',
      '{victim}',
      'u:victim',
      'victim\n',
      'victim\r\nDEL *',
      'victim ',
      'Victim',
      `s:${victim.sessionId}`,
    ];
    for (const sub of subjects) {
      const token = forge.authentic(claims({ sub }));
      expect(await verdict(token), sub).to.equal('active');
      await client.logout({ accessToken: token, allSessions: true });
      expect(await verdict(token), sub).to.equal('REVOKED');
    }
    for (const sid of [
      `${victim.sessionId}\n`,
      ` ${victim.sessionId}`,
      `{${victim.sessionId}}`,
      victim.sessionId.toUpperCase(),
      'x:y',
    ]) {
      expect(await verdict(forge.authentic(claims({ sid, jti: `a${sid}.0` }))), sid).to.equal('MALFORMED');
    }
    expect(await verdict(victim.accessToken)).to.equal('active');
  });

  it('puts `__proto__` and `constructor` among the claims', async () => {
    const text = `${JSON.stringify(claims()).slice(0, -1)},"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}}}`;
    const { active, claims: shown } = await client.validate(forge.authentic(text), true);
    expect(active).to.equal(true);
    expect(Object.keys(shown ?? {})).to.deep.equal(['constructor']);
    expect((shown as { admin?: boolean }).admin).to.equal(undefined);
  });

  it('sends a token of 8 KiB, and one byte more', async () => {
    const authentic = (header: object, payload: object): string =>
      forge.authenticHs256({ ...claims(), ...payload }, { ...header });
    expect(await verdict(forge.ofLength(8192, authentic))).to.equal('active');
    const over = await failureOfCall(client.validate(forge.ofLength(8193, authentic)));
    expect(over).to.include({ code: 'INVALID_ARGUMENT', field: 'access_token', fieldReason: 'TOO_LARGE' });
  });
});
