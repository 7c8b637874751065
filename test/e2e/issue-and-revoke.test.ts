// Tests of IssuerService: its credential, its requests, and that a login after a revocation is active.

import { expect } from 'chai';
import { type CallFailed, failureOfCall, type TestClient } from '../support/auth-client.js';
import { ISSUER_TOKEN } from '../support/processes.js';
import type { RedisServer } from '../support/redis-server.js';
import { until } from '../support/waiting.js';
import { encoded, issueRaw, listServices } from './raw-calls.js';
import { Stage } from './stage.js';
import { claimsOf } from './tokens.js';

describe('IssuerService', () => {
  const stage = new Stage();
  let redis: RedisServer;
  let client: TestClient;
  let address: string;
  before(async () => {
    redis = await stage.redis();
    const node = await stage.serveHere(redis, { JWT_ISSUER: 'https://login.example.com', JWT_AUDIENCE: 'shop,bank' });
    ({ client } = node);
    ({ address } = node.process);
  });
  after(() => stage.clear());

  describe('and its credential', () => {
    it('answers UNAUTHENTICATED without it or with another, whatever else is wrong, and does nothing', async () => {
      const { accessToken } = await client.issue();
      for (const wrong of ['', 'x', `${ISSUER_TOKEN} `, ISSUER_TOKEN.slice(1), ISSUER_TOKEN.toUpperCase()]) {
        for (const call of [
          client.issue('alice', {}, wrong),
          client.issue('', {}, wrong),
          client.revokeSubject('alice', wrong),
        ]) {
          const { code, reason } = await failureOfCall(call);
          expect([code, reason], wrong).to.deep.equal(['UNAUTHENTICATED', undefined]);
        }
      }
      expect(await client.verdict(accessToken)).to.equal('active');
    });

    it('is on the main port and listed with the right one', async () => {
      const wanted = ['auth.v1.AuthService', 'auth.v1.IssuerService', 'grpc.health.v1.Health'];
      for (const version of ['v1', 'v1alpha'] as const) {
        expect((await listServices(address, version)).filter((name) => !name.includes('reflection'))).to.deep.equal(
          wanted,
        );
      }
    });

    for (const [how, credential] of [
      ['unset', ''],
      ['shorter than 32 characters', 'x'.repeat(31)],
    ] as const) {
      it(`is not registered where it is ${how}: UNIMPLEMENTED, and neither listed nor healthy`, async () => {
        const { process, client: other } = await stage.serve(redis, { ISSUER_TOKEN: credential });
        expect((await failureOfCall(other.issue('alice', {}, credential))).code).to.equal('UNIMPLEMENTED');
        expect((await failureOfCall(other.revokeSubject('alice', credential))).code).to.equal('UNIMPLEMENTED');
        expect(await listServices(process.address)).not.to.include('auth.v1.IssuerService');
        expect((await failureOfCall(other.health('auth.v1.IssuerService'))).code).to.equal('NOT_FOUND');
        await until(() => process.output().includes('IssuerService is off'), 30_000);
        expect(process.output()).not.to.include('x'.repeat(31));
      });
    }

    it('with ISSUER_ADDRESS is on a port of its own, and off the main one', async () => {
      const { process, client: main } = await stage.serveHere(redis, { ISSUER_ADDRESS: '127.0.0.1:0' });
      const line = process.lines().find(({ msg }) => msg === 'service listening');
      const { addresses } = line as { addresses: { host: string; port: number }[] };
      const [, apart = { host: '', port: 0 }] = addresses;
      const issuing = `${apart.host}:${apart.port}`;
      const issuer = stage.client(issuing);
      expect((await failureOfCall(main.issue())).code).to.equal('UNIMPLEMENTED');
      const { accessToken } = await issuer.issue();
      expect(await main.verdict(accessToken)).to.equal('active');
      expect((await failureOfCall(issuer.validate(accessToken))).code).to.equal('UNIMPLEMENTED');
      await issuer.revokeSubject('alice');
      expect(await main.verdict(accessToken)).to.equal('REVOKED');
      expect(await listServices(process.address)).to.not.include('auth.v1.IssuerService');
      expect(await listServices(issuing)).to.include('auth.v1.IssuerService');
      expect(await listServices(issuing)).to.not.include('auth.v1.AuthService');
      expect(await issuer.health('auth.v1.IssuerService')).to.equal('SERVING');
    });
  });

  describe('IssueToken', () => {
    const refusalOf = async (subject: string, claims?: Record<string, unknown>) => {
      const { code, field, fieldReason } = await failureOfCall(client.issue(subject, claims));
      return [code, field, fieldReason];
    };

    it('puts the claims into both tokens of every generation, and ValidateToken answers them where it is asked to', async () => {
      const claims = {
        role: 'admin',
        n: 1.5,
        on: true,
        none: null,
        list: [1, ['a']],
        deep: { er: { x: 'ü😀' } },
        '': 0,
      };
      let pair = await client.issue('alice', claims);
      for (let generation = 0; generation < 3; generation++) {
        for (const token of [pair.accessToken, pair.refreshToken]) {
          expect(claimsOf(token)).to.deep.include({ ...claims, sub: 'alice', gen: generation });
        }
        const asked = await client.validate(pair.accessToken, true);
        expect(asked.claims).to.deep.equal(claims);
        expect((await client.validate(pair.accessToken)).claims).to.equal(undefined);
        pair = await client.refresh(pair.refreshToken);
      }
    });

    it('takes names that mean something in JavaScript for names like any other', async () => {
      const claims = {
        constructor: 'a',
        toString: 'b',
        hasOwnProperty: 1,
        valueOf: null,
        toJSON: 'c',
      };
      const pair = await client.issue('alice', claims);
      const next = await client.refresh(pair.refreshToken);
      for (const { accessToken } of [pair, next]) {
        expect((await client.validate(accessToken, true)).claims).to.deep.equal(claims);
      }
    });

    it('takes no harm from a claim by the name of the prototype', async () => {
      // Value.struct_value, with one field in it: what a lenient decoder would make a prototype.
      const value = encoded(5, encoded(1, encoded(1, 'admin'), encoded(2, encoded(3, 'yes'))));
      const claims = encoded(2, encoded(1, encoded(1, '__proto__'), encoded(2, value)));
      const outcome = await issueRaw(address, Buffer.concat([encoded(1, 'alice'), claims])).catch(
        (error: CallFailed) => error.failure.code,
      );
      expect(outcome.toString('latin1')).not.to.include('admin');
      if (typeof outcome === 'string') expect(outcome).to.equal('INVALID_ARGUMENT');
      const { accessToken } = await client.issue();
      expect((await client.validate(accessToken, true)).claims).to.deep.equal({});
    });

    it('dates and names the pair as ValidateToken answers it', async () => {
      const pair = await client.issue('zoë\u0301 😀');
      const { claims: _, ...validation } = await client.validate(pair.accessToken);
      const { iat, exp, jti } = claimsOf(pair.accessToken);
      expect(validation).to.deep.equal({
        active: true,
        problem: 0,
        subject: 'zoë\u0301 😀',
        sessionId: pair.sessionId,
        tokenId: jti,
        issuedAt: iat,
        expiresAt: exp,
        issuer: 'https://login.example.com',
        audience: ['shop', 'bank'],
      });
      expect([exp, claimsOf(pair.refreshToken)['exp']]).to.deep.equal([pair.accessExpiresAt, pair.refreshExpiresAt]);
    });

    it('refuses registered and reserved names, and names the fault', async () => {
      const names = ['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'sid', 'gen', 'token_type', 'adopted'];
      for (const name of names) {
        expect(await refusalOf('alice', { [name]: 1 }), name).to.deep.equal(['INVALID_ARGUMENT', 'claims', 'RESERVED']);
      }
      expect((await failureOfCall(client.issue('alice', { sid: 1 }))).message).to.include('sid');
    });

    it('refuses numbers that JSON has not, claims that are too deep, and ones that are too large', async () => {
      const invalid = ['INVALID_ARGUMENT', 'claims', 'INVALID'];
      for (const value of [Number.NaN, Number.POSITIVE_INFINITY, [[Number.NEGATIVE_INFINITY]]]) {
        expect(await refusalOf('alice', { value })).to.deep.equal(invalid);
      }
      const nested = (depth: number): unknown => (depth === 0 ? 1 : { in: nested(depth - 1) });
      expect(await refusalOf('alice', { value: nested(17) })).to.deep.equal(invalid);
      await client.issue('alice', { value: nested(12) });
      const tooLarge = ['INVALID_ARGUMENT', 'claims', 'TOO_LARGE'];
      expect(await refusalOf('alice', { value: 'x'.repeat(6_000) })).to.deep.equal(tooLarge);
      expect(await refusalOf('alice', { value: 'ü'.repeat(3_000) })).to.deep.equal(tooLarge);
      // What is taken can be refreshed.
      const { refreshToken } = await client.issue('alice', { value: 'x'.repeat(4_000) });
      await client.refresh((await client.refresh(refreshToken)).refreshToken);
    });

    it('refuses whole numbers beyond ±(2^53−1), which arrive as another number, and names the claim', async () => {
      for (const value of [2 ** 53, -(2 ** 53) - 2, 2 ** 57 + 32, 1e300]) {
        expect(await refusalOf('alice', { value })).to.deep.equal(['INVALID_ARGUMENT', 'claims', 'INVALID']);
      }
      const { message } = await failureOfCall(client.issue('alice', { user: { ids: [1, 2 ** 53] } }));
      expect(message).to.include('user.ids[1]').and.include('send it as a string');
      const claims = { least: -(2 ** 53) + 1, most: 2 ** 53 - 1, text: '175928847299117063' };
      expect((await client.validate((await client.issue('alice', claims)).accessToken, true)).claims).to.deep.equal(
        claims,
      );
    });

    it('refuses claims with bytes that are not UTF-8, with a name twice, and with __proto__ at any depth', async () => {
      const [yes, latin1] = [Buffer.from([4 << 3, 1]), Buffer.from('J\xf6rg', 'latin1')];
      const entry = (name: Buffer | string, value: Buffer): Buffer => encoded(1, encoded(1, name), encoded(2, value));
      const inner = encoded(5, entry('__proto__', encoded(5, entry('admin', yes))));
      for (const [reason, ...entries] of [
        ['INVALID', entry('name', encoded(3, latin1))],
        ['INVALID', entry(latin1, yes)],
        ['INVALID', entry('a', yes), entry('a', encoded(3, 'x'))],
        ['RESERVED', entry('a', encoded(6, encoded(1, inner)))],
      ] as const) {
        const request = Buffer.concat([encoded(1, 'alice'), encoded(2, ...entries)]);
        const { code, field, fieldReason } = await failureOfCall(issueRaw(address, request));
        expect([code, field, fieldReason]).to.deep.equal(['INVALID_ARGUMENT', 'claims', reason]);
      }
    });

    it('refuses bytes that are not UTF-8 as a subject: two of them must not become one', async () => {
      // What a client in another encoding would send for Jörg and Järg: as text both are the same.
      for (const bytes of [Buffer.from('J\xf6rg', 'latin1'), Buffer.from('J\xe4rg', 'latin1')]) {
        const { code, field, fieldReason } = await failureOfCall(issueRaw(address, encoded(1, bytes)));
        expect([code, field, fieldReason]).to.deep.equal(['INVALID_ARGUMENT', 'subject', 'INVALID']);
      }
    });

    it('refuses an empty and an oversized subject; takes one of 255 bytes', async () => {
      expect(await refusalOf('')).to.deep.equal(['INVALID_ARGUMENT', 'subject', 'REQUIRED']);
      for (const subject of ['x'.repeat(256), 'ü'.repeat(128)]) {
        expect(await refusalOf(subject)).to.deep.equal(['INVALID_ARGUMENT', 'subject', 'INVALID']);
      }
      for (const subject of ['x'.repeat(255), 'ü'.repeat(127), ' ', '\0', '{}:*', '__proto__']) {
        const { accessToken } = await client.issue(subject);
        expect((await client.validate(accessToken)).subject).to.equal(subject);
        await client.logout({ accessToken });
        expect(await client.verdict(accessToken)).to.equal('REVOKED');
      }
    });
  });

  describe('RevokeSubject', () => {
    it('ends every session of the subject and of no other, and a login after it is active', async () => {
      const [a, b, other] = [await client.issue('ann'), await client.issue('ann'), await client.issue('ben')];
      const c = await client.refresh((await client.issue('ann')).refreshToken);
      await client.revokeSubject('ann');
      const login = await client.issue('ann');
      for (const { accessToken, refreshToken } of [a, b, c]) {
        expect(await client.verdict(accessToken)).to.equal('REVOKED');
        expect((await failureOfCall(client.refresh(refreshToken))).cause).to.equal('not-before');
      }
      for (const { accessToken, refreshToken } of [login, other]) {
        expect(await client.verdict(accessToken)).to.equal('active');
        await client.refresh(refreshToken);
      }
    });

    it('can be repeated at any rate, and logins right after it are always active', async () => {
      for (let round = 0; round < 20; round++) {
        await Promise.all(Array.from({ length: 3 }, () => client.revokeSubject('cat')));
        const { accessToken } = await client.issue('cat');
        expect(await client.verdict(accessToken)).to.equal('active');
      }
    });

    it('takes a subject that never logged in, and refuses an empty and an oversized one', async () => {
      await client.revokeSubject('nobody');
      for (const [subject, reason] of [
        ['', 'REQUIRED'],
        ['x'.repeat(256), 'INVALID'],
      ] as const) {
        const { code, field, fieldReason } = await failureOfCall(client.revokeSubject(subject));
        expect([code, field, fieldReason]).to.deep.equal(['INVALID_ARGUMENT', 'subject', reason]);
      }
    });
  });
});
