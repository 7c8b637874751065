// Tests that an authentic token of simplejwt with odd claims gets a clear answer, where simplejwt itself fails.

import { expect } from 'chai';
import { type AnyBrowser, LOGOUT, pairIn } from './browser.js';
import { type RunningNode, Stage } from './stage.js';
import { claimsOf, foreign, foreignClaims, foreignText, nowS } from './tokens.js';

const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;

/** A payload with one claim as this text, which need not be what JavaScript can write. */
const withText = (name: string, text: string): string =>
  JSON.stringify(foreignClaims('refresh', { [name]: '@' })).replace('"@"', text);

/** Each with what a refresh answers: 200, or the problem behind the 401. */
const CASES: readonly (readonly [what: string, token: () => string, outcome: string])[] = [
  ...(
    [
      ['user_id', '7', '200'],
      ['user_id', '"7"', '200'],
      ['user_id', '0', '200'],
      ['user_id', '-7', '200'],
      ['user_id', '7.0', '200'],
      ['user_id', '1.5', 'MALFORMED'],
      ['user_id', '9007199254740993', 'MALFORMED'],
      ['user_id', '1e400', 'MALFORMED'],
      ['user_id', 'null', 'MALFORMED'],
      ['user_id', 'true', 'MALFORMED'],
      ['user_id', '[7]', 'MALFORMED'],
      ['user_id', '{}', 'MALFORMED'],
      ['user_id', '""', 'MALFORMED'],
      ['user_id', '"\\ud800"', 'MALFORMED'],
      ['user_id', `"${'x'.repeat(256)}"`, 'MALFORMED'],
      ['jti', '7', 'MALFORMED'],
      ['jti', 'null', 'MALFORMED'],
      ['jti', '""', 'MALFORMED'],
      ['jti', '"\\udc00"', 'MALFORMED'],
      ['exp', '"4102444800"', 'MALFORMED'],
      ['exp', '4102444800.5', 'MALFORMED'],
      ['exp', '1e400', 'MALFORMED'],
      ['exp', '-1e400', 'MALFORMED'],
      ['exp', '1e300', 'MALFORMED'],
      ['exp', '-1', 'MALFORMED'],
      ['exp', 'null', 'MALFORMED'],
      ['exp', '[]', 'MALFORMED'],
      ['exp', '4102444800', '200'],
      ['exp', '281474976710', '200'],
      ['exp', '281474976711', 'MALFORMED'],
      ['exp', '0', 'EXPIRED'],
      ['iat', '"1"', 'MALFORMED'],
      ['iat', '1.5', 'MALFORMED'],
      ['iat', '1e400', 'MALFORMED'],
      ['iat', '0', 'EXPIRED'],
      ['iat', '281474976710', 'NOT_YET_VALID'],
      ['nbf', '"1"', 'MALFORMED'],
      ['nbf', '1', '200'],
      ['token_type', '7', 'MALFORMED'],
      ['token_type', 'null', 'MALFORMED'],
      ['token_type', '["refresh"]', 'MALFORMED'],
      ['token_type', '"__proto__"', 'WRONG_TYPE'],
      ['deep', nested(1_000), 'MALFORMED'],
      ['deep', nested(3), '200'],
      ['sid', '"x"', '200'],
      ['sid', '{"a":1}', '200'],
      ['gen', '"x"', '200'],
      ['adopted', 'false', '200'],
      ['gen', '1e400', '200'],
      ['sub', '7', '200'],
      ['iss', '{}', '200'],
      ['aud', '7', '200'],
      ['__proto__', '{"user_id":1,"admin":true}', '200'],
      ['constructor', '{"prototype":{"admin":true}}', '200'],
      ['toString', '"x"', '200'],
      ['toJSON', '"x"', '200'],
      ['other', '{"__proto__":{"admin":true}}', '200'],
      ['other', '1e400', 'MALFORMED'],
      ['other', '175928847299117063', 'MALFORMED'],
      ['other', '9007199254740991', '200'],
      ['other', '"\\ud800"', '200'],
      ['other', '"\\u0000"', '200'],
    ] as const
  ).map(([name, text, outcome]) => {
    const shown = text.length > 40 ? `${text.slice(0, 20)}… (${text.length} characters)` : text;
    return [`${name}: ${shown}`, () => foreignText(withText(name, text)), outcome] as const;
  }),
  ...['user_id', 'jti', 'exp', 'iat', 'token_type'].map(
    (name) => [`no ${name}`, () => foreign('refresh', { [name]: undefined }), 'MISSING_CLAIM'] as const,
  ),
  ...['user_id', 'other'].map((name) => {
    const payload = Buffer.from(withText(name, '"J\xf6rg"'), 'latin1');
    return [`${name}: bytes that are not UTF-8`, () => foreignText(payload), 'MALFORMED'] as const;
  }),
  ...['null', '7', '"text"', '[]', '{}', '', 'no JSON', '\u0000'].map(
    (payload) => [`the payload ${JSON.stringify(payload)}`, () => foreignText(payload), '401'] as const,
  ),
];

describe('odd but authentic claims of djangorestframework-simplejwt', () => {
  const stage = new Stage();
  let node: RunningNode;
  let browser: AnyBrowser;
  before(async () => {
    const since = new Date((nowS() - 3_600) * 1000).toISOString();
    node = await stage.serveHere(await stage.redis(), { ADOPT_TOKENS: 'simplejwt', SESSIONS_SINCE: since });
    browser = await stage.gatewayHere(node);
  });
  after(() => stage.clear());

  for (const [what, make, outcome] of CASES) {
    it(`${what} is answered ${outcome}`, async () => {
      const token = make();
      const answer = await browser.refresh(token);
      if (outcome === '200') {
        const { access, refresh } = pairIn(answer);
        const validated = await node.client.validate(access, true);
        expect(validated.active).to.equal(true);
        expect(validated.claims).not.to.have.property('admin');
        expect(claimsOf(access)).to.include({ gen: 1 });
        pairIn(await browser.refresh(refresh));
        expect((await browser.logout(token)).status).to.equal(200);
        return;
      }
      expect(answer.status).to.equal(401);
      expect(JSON.parse(answer.text)).to.have.keys('detail', 'code').and.include({ code: 'token_not_valid' });
      const failure = await node.client.refresh(token).catch((error) => error.failure);
      expect(failure.code).to.equal('UNAUTHENTICATED');
      if (outcome !== '401') expect(failure.reason).to.equal(outcome);
    });
  }

  it('never make validation or logout fail either', async () => {
    for (const [what, make] of CASES) {
      const token = make();
      const [, payload = ''] = token.split('.');
      const access = foreignText(Buffer.from(payload, 'base64url').toString().replace('"refresh"', '"access"'));
      await node.client.validate(access, true);
      for (const body of [{ refresh: token }, { refresh: token, all_sessions: true }, { all_sessions: true }]) {
        const { status } = await browser.post(LOGOUT, body, { authorization: `Bearer ${access}` });
        expect(status, what).to.be.oneOf([200, 400, 401]);
      }
    }
  });

  it('that leave no room for a successor are answered 400, and the token is not spent', async () => {
    // A user of its own: the one before was logged out everywhere, maybe within this very second.
    const token = foreign('refresh', { user_id: 8, much: 'x'.repeat(5_800) });
    const answer = await browser.refresh(token);
    expect([answer.status, answer.text]).to.deep.equal([
      400,
      '{"refresh":["Ensure this field has no more than 8192 characters."]}',
    ]);
    expect((await browser.refresh(token)).status).to.equal(400);
    expect((await browser.logout(token)).status).to.equal(200);
  });
});
