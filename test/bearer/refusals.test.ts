// Tests of the responses to requests that are not let through.

import { expect } from 'chai';
import {
  cannotTell,
  inactiveToken,
  invalidCredentials,
  missingCredentials,
  type Refusal,
} from '../../src/bearer/refusals.js';

describe('bearer: refusals', () => {
  const challengeOf = ({ headers }: Refusal): string | undefined => headers['www-authenticate'];

  it('names no error if there are no credentials', () => {
    expect(missingCredentials.status).to.equal(401);
    expect(challengeOf(missingCredentials)).to.equal('Bearer realm="api"');
  });

  it('names the error, and the problem of a token', () => {
    expect(challengeOf(invalidCredentials)).to.equal('Bearer realm="api", error="invalid_request"');
    const revoked = inactiveToken('REVOKED');
    expect(challengeOf(revoked)).to.equal('Bearer realm="api", error="invalid_token", error_description="REVOKED"');
    expect(revoked.body).to.deep.equal({ detail: 'Token is blacklisted', code: 'token_not_valid' });
    expect(inactiveToken('BAD_SIGNATURE').body.detail).to.equal('Token is invalid');
  });

  it('answers 503 with a time to retry where the state is unknown, and no challenge', () => {
    const { status, headers, body } = cannotTell(3);
    expect(status).to.equal(503);
    expect(headers['retry-after']).to.equal('3');
    expect(headers).not.to.have.property('www-authenticate');
    expect(body.code).to.equal('service_unavailable');
  });

  it('may never be cached', () => {
    for (const refusal of [missingCredentials, invalidCredentials, inactiveToken('EXPIRED'), cannotTell()]) {
      expect(refusal.headers['cache-control']).to.equal('no-store');
    }
  });
});
