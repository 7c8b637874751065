// Tests of the refresh route: what the client gets, to the letter, for each thing it can send.

import { status } from '@grpc/grpc-js';
import { expect } from 'chai';
import { ownCpuMs } from '../support/processor-time.js';
import { badRequest, failure, PAIR, retryInfo, tokenProblem } from '../support/scripted-auth-service.js';
import { REFRESH, RunningGateway } from './running-gateway.js';

const TOKEN = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1In0.c2lnbmF0dXJl';
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const UNAVAILABLE = '{"detail":"Service temporarily unavailable, try again later.","code":"service_unavailable"}';

describe('gateway: POST /api/auth/token/refresh/', () => {
  let gateway: RunningGateway;
  before(async () => {
    gateway = await RunningGateway.start();
  });
  after(() => gateway.stop());
  beforeEach(() => gateway.service.reset());

  it('answers the next pair, in this order and with nothing else', async () => {
    const { status: code, headers, text } = await gateway.post(REFRESH, { refresh: TOKEN });
    expect(code).to.equal(200);
    expect(text).to.equal(`{"access":"${PAIR.access}","refresh":"${PAIR.refresh}"}`);
    expect(headers.get('content-type')).to.equal('application/json');
    expect(headers.get('cache-control')).to.equal('no-store');
    expect(gateway.service.lastCall?.request).to.deep.equal({ refreshToken: TOKEN });
  });

  it('works without the trailing slash', async () => {
    const { status: code } = await gateway.post('/api/auth/token/refresh', { refresh: TOKEN });
    expect(code).to.equal(200);
  });

  const bodies: readonly [title: string, body: string, answer: string][] = [
    ['an empty object', '{}', '{"refresh":["This field is required."]}'],
    ['an empty body', '', '{"refresh":["This field is required."]}'],
    ['null', '{"refresh":null}', '{"refresh":["This field may not be null."]}'],
    ['an empty text', '{"refresh":""}', '{"refresh":["This field may not be blank."]}'],
    ['blanks alone', '{"refresh":" \\t\\u00a0\\u001c\\n"}', '{"refresh":["This field may not be blank."]}'],
    ['a boolean', '{"refresh":true}', '{"refresh":["Not a valid string."]}'],
    ['a list', '{"refresh":["a"]}', '{"refresh":["Not a valid string."]}'],
    ['an object', '{"refresh":{}}', '{"refresh":["Not a valid string."]}'],
    ['a NUL', '{"refresh":"a\\u0000b"}', '{"refresh":["Null characters are not allowed."]}'],
    [
      'half a surrogate pair',
      '{"refresh":"a\\udc00b"}',
      '{"refresh":["Surrogate characters are not allowed: U+DC00."]}',
    ],
    [
      'a NUL and half a surrogate pair',
      '{"refresh":"\\u0000\\ud800"}',
      '{"refresh":["Null characters are not allowed.","Surrogate characters are not allowed: U+D800."]}',
    ],
    ['a key named __proto__', '{"__proto__":{"refresh":"a"}}', '{"refresh":["This field is required."]}'],
    ['a key named constructor', '{"constructor":{"refresh":"a"}}', '{"refresh":["This field is required."]}'],
    ['a document null', 'null', '{"non_field_errors":["No data provided"]}'],
    ...(
      [
        ['list', '[{"refresh":"a"}]'],
        ['str', '"refresh"'],
        ['int', ' -1 '],
        ['float', '1.0'],
        ['float', '1e3'],
        ['bool', 'false'],
      ] as const
    ).map(
      ([type, document]) =>
        [
          `the document ${document}`,
          document,
          `{"non_field_errors":["Invalid data. Expected a dictionary, but got ${type}."]}`,
        ] as [string, string, string],
    ),
  ];
  for (const [title, body, answer] of bodies) {
    it(`refuses ${title} without asking the service`, async () => {
      const { status: code, text } = await gateway.post(REFRESH, body);
      expect([code, text]).to.deep.equal([400, answer]);
      expect(gateway.service.calls).to.be.empty;
    });
  }

  it('takes a number for a text, which is no token', async () => {
    gateway.service.script = () => {
      throw tokenProblem('MALFORMED');
    };
    const { status: code, text } = await gateway.post(REFRESH, { refresh: 12345 });
    expect([code, text]).to.deep.equal([401, '{"detail":"Token is invalid","code":"token_not_valid"}']);
    expect(gateway.service.lastCall?.request).to.deep.equal({ refreshToken: '12345' });
  });

  it('trims the token as Python does', async () => {
    await gateway.post(REFRESH, `{"refresh":"\\u001f\\u0085 ${TOKEN}\\u3000\\n"}`);
    expect(gateway.service.lastCall?.request).to.deep.equal({ refreshToken: TOKEN });
    await gateway.post(REFRESH, { refresh: `\ufeff${TOKEN}` });
    expect(gateway.service.lastCall?.request).to.deep.equal({ refreshToken: `\ufeff${TOKEN}` });
  });

  it('takes blanks within a text of the largest size without delay', async () => {
    const beforeMs = ownCpuMs();
    await gateway.post(REFRESH, { refresh: `a${' '.repeat(16_000)}b` });
    expect(ownCpuMs() - beforeMs).to.be.below(1_500);
  });

  it('refuses broken JSON and does not repeat it', async () => {
    const secret = 'eyJhbGciOiJIUzI1NiJ9';
    for (const body of [`{"refresh":"${secret}`, `{"refresh":${secret}}`, `{"refresh":"a"}${secret}`, secret, ' ']) {
      const { status: code, text } = await gateway.post(REFRESH, body);
      expect(code, body).to.equal(400);
      expect(text, body).to.match(/^\{"detail":"JSON parse error - the body is not valid JSON(: char \d+)?"\}$/);
    }
  });

  it('says at which character a body stops being JSON', async () => {
    const { text } = await gateway.post(REFRESH, '{');
    expect(text).to.equal('{"detail":"JSON parse error - the body is not valid JSON: char 1"}');
  });

  it('refuses JSON that is not UTF-8, or has a byte order mark', async () => {
    const headers = { 'content-type': 'application/json' };
    const latin = await gateway.ask(REFRESH, {
      method: 'POST',
      headers,
      body: Buffer.from('{"refresh":"\xe9"}', 'latin1'),
    });
    expect([latin.status, latin.text]).to.deep.equal([400, '{"detail":"JSON parse error - the body is not UTF-8"}']);
    const marked = await gateway.ask(REFRESH, { method: 'POST', headers, body: Buffer.from('\ufeff{"refresh":"a"}') });
    expect(marked.status).to.equal(400);
    expect(marked.text).to.contain('JSON parse error - ');
  });

  it('reads a form, the last value of a name', async () => {
    const { status: code } = await gateway.post(REFRESH, 'refresh=first&refresh=+a%2Eb%2Ec+&x=1', FORM);
    expect(code).to.equal(200);
    expect(gateway.service.lastCall?.request).to.deep.equal({ refreshToken: 'a.b.c' });
  });

  it('has the same rules for a form', async () => {
    const missing = await gateway.post(REFRESH, 'other=1', FORM);
    expect(missing.text).to.equal('{"refresh":["This field is required."]}');
    const blank = await gateway.post(REFRESH, 'refresh=', FORM);
    expect(blank.text).to.equal('{"refresh":["This field may not be blank."]}');
    const nul = await gateway.post(REFRESH, 'refresh=%00', FORM);
    expect(nul.text).to.equal('{"refresh":["Null characters are not allowed."]}');
  });

  it('reads multipart/form-data, as fetch and curl send it', async () => {
    const body = new FormData();
    body.append('refresh', 'first');
    body.append('refresh', TOKEN);
    expect((await gateway.ask(REFRESH, { method: 'POST', body })).status).to.equal(200);
    expect(gateway.service.lastCall?.request).to.deep.equal({ refreshToken: TOKEN });

    const byHand = '--b\r\nContent-Disposition: form-data; name="refresh"\r\n\r\na.b.c\r\n--b--\r\n';
    const type = { 'content-type': 'multipart/form-data; boundary=b' };
    expect((await gateway.post(REFRESH, byHand, type)).status).to.equal(200);
    expect(gateway.service.lastCall?.request).to.deep.equal({ refreshToken: 'a.b.c' });
  });

  it('takes no file for a text', async () => {
    const body = new FormData();
    body.append('refresh', new Blob([TOKEN]), 'token.txt');
    const { status: code, text } = await gateway.ask(REFRESH, { method: 'POST', body });
    expect([code, text]).to.deep.equal([400, '{"refresh":["Not a valid string."]}']);
  });

  it('refuses multipart/form-data that does not keep to its boundary', async () => {
    for (const type of ['multipart/form-data', 'multipart/form-data; boundary=other']) {
      const begun = '--b\r\nContent-Disposition: form-data; name="refresh"\r\n\r\na.b.c';
      const { status: code, text } = await gateway.post(REFRESH, begun, { 'content-type': type });
      expect(code, type).to.equal(400);
      expect(text, type).to.contain('Multipart form parse error - ');
    }
  });

  it('counts an empty body as an empty object, whatever its type', async () => {
    for (const headers of [{}, { 'content-type': 'text/plain' }]) {
      const { status: code, text } = await gateway.ask(REFRESH, { method: 'POST', headers });
      expect([code, text]).to.deep.equal([400, '{"refresh":["This field is required."]}']);
    }
  });

  const problems: readonly [reason: string, detail: string][] = [
    ['EXPIRED', 'Token is expired'],
    ['WRONG_TYPE', 'Token has wrong type'],
    ['REVOKED', 'Token is blacklisted'],
    ['REUSED', 'Token is blacklisted'],
    ...[
      'MALFORMED',
      'BAD_SIGNATURE',
      'UNKNOWN_KEY',
      'MISSING_CLAIM',
      'NOT_YET_VALID',
      'WRONG_ISSUER',
      'WRONG_AUDIENCE',
    ].map((reason) => [reason, 'Token is invalid'] as [string, string]),
    ['SOMETHING_NEW', 'Token is invalid'],
  ];
  for (const [reason, detail] of problems) {
    it(`answers 401 "${detail}" for ${reason}`, async () => {
      gateway.service.script = () => {
        throw tokenProblem(reason);
      };
      const { status: code, headers, text } = await gateway.post(REFRESH, { refresh: TOKEN });
      expect([code, text]).to.deep.equal([401, `{"detail":"${detail}","code":"token_not_valid"}`]);
      expect(headers.get('www-authenticate')).to.equal('Bearer realm="api"');
      expect(headers.get('cache-control')).to.equal('no-store');
    });
  }

  const violations: readonly [field: string, reason: string, code: number, answer: string][] = [
    ['refresh_token', 'REQUIRED', 400, '{"refresh":["This field is required."]}'],
    ['refresh_token', 'TOO_LARGE', 400, '{"refresh":["Ensure this field has no more than 8192 characters."]}'],
    ['refresh_token', 'INVALID', 400, '{"refresh":["what is wrong"]}'],
    ['access_token', 'TOO_LARGE', 401, '{"detail":"Token is invalid","code":"token_not_valid"}'],
    ['all_sessions', 'CONFLICT', 400, '{"all_sessions":["what is wrong"]}'],
  ];
  for (const [field, reason, wanted, answer] of violations) {
    it(`answers ${wanted} for ${field} ${reason}`, async () => {
      gateway.service.script = () => {
        throw failure(status.INVALID_ARGUMENT, [badRequest(field, reason, 'what is wrong')]);
      };
      const { status: code, text } = await gateway.post(REFRESH, { refresh: TOKEN });
      expect([code, text]).to.deep.equal([wanted, answer]);
    });
  }

  for (const code of [status.UNAVAILABLE, status.DEADLINE_EXCEEDED, status.RESOURCE_EXHAUSTED, status.CANCELLED]) {
    it(`answers 503 for ${status[code]}, which is no fault to report`, async () => {
      gateway.service.script = () => {
        throw failure(code);
      };
      const before = gateway.log.length;
      const { status: answered, headers, text } = await gateway.post(REFRESH, { refresh: TOKEN });
      expect([answered, text]).to.deep.equal([503, UNAVAILABLE]);
      expect(headers.get('retry-after')).to.equal('1');
      expect(headers.get('cache-control')).to.equal('no-store');
      expect(gateway.log.slice(before).join('')).not.to.contain('"level":"error"');
    });
  }

  const unforeseen: readonly [title: string, error: Error][] = [
    ['INTERNAL', failure(status.INTERNAL)],
    ['UNKNOWN', failure(status.UNKNOWN)],
    ['UNIMPLEMENTED', failure(status.UNIMPLEMENTED)],
    ['PERMISSION_DENIED', failure(status.PERMISSION_DENIED)],
    ['INVALID_ARGUMENT without details', failure(status.INVALID_ARGUMENT)],
    ['INVALID_ARGUMENT of an unknown field', failure(status.INVALID_ARGUMENT, [badRequest('other', 'INVALID')])],
    ['UNAUTHENTICATED without details', failure(status.UNAUTHENTICATED)],
    ['UNAUTHENTICATED of another domain', tokenProblem('EXPIRED', 'mesh.example')],
    [
      'UNAUTHENTICATED with details that are none',
      failure(status.UNAUTHENTICATED, [{ typeUrl: 'type.googleapis.com/google.rpc.ErrorInfo', value: Buffer.of(255) }]),
    ],
  ];
  for (const [title, error] of unforeseen) {
    it(`answers 503 for ${title}, says nothing of the token, and reports it`, async () => {
      gateway.service.script = () => {
        throw error;
      };
      const before = gateway.log.length;
      const { status: code, text } = await gateway.post(REFRESH, { refresh: TOKEN });
      expect([code, text]).to.deep.equal([503, UNAVAILABLE]);
      expect(gateway.log.slice(before).join('')).to.contain('"level":"error"');
    });
  }

  it('answers 503 if the service sends no pair', async () => {
    gateway.service.answer = () => ({ tokens: undefined });
    const { status: code, text } = await gateway.post(REFRESH, { refresh: TOKEN });
    expect([code, text]).to.deep.equal([503, UNAVAILABLE]);
  });

  it("answers the service's own time to try again, in whole seconds", async () => {
    for (const [info, seconds] of [
      [retryInfo(2, 1), '3'],
      [retryInfo(4), '4'],
      [retryInfo(0, 5_000_000), '1'],
      [retryInfo(0), '1'],
    ] as const) {
      gateway.service.script = () => {
        throw failure(status.UNAVAILABLE, [info]);
      };
      const { headers } = await gateway.post(REFRESH, { refresh: TOKEN });
      expect(headers.get('retry-after')).to.equal(seconds);
    }
  });
});
