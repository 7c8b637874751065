// Tests of what `dev` prints where its parts are not in their usual places.

import { expect } from 'chai';
import { welcome } from '../../src/commands/welcome.js';
import { Environment } from '../../src/platform/env.js';
import { readServiceSettings } from '../../src/settings/service.js';

const PAIR = { accessToken: 'a', refreshToken: 'r', accessExpiresAt: 0, refreshExpiresAt: 0, sessionId: 's' };
const settings = (variables: Record<string, string> = {}, credential = '$ISSUER_TOKEN') => ({
  ...readServiceSettings(new Environment(variables), 'dev', 0),
  credential,
});

describe('the welcome of `latchkey dev`', () => {
  it('has one gRPC address where there is one', () => {
    const text = welcome('alice', PAIR, { grpc: 'h:1', issuer: 'h:1', http: 'h:3' }, settings());
    expect(text).to.match(/gRPC {3}h:1 +AuthService, IssuerService, reflection, health\n/);
  });

  it('has the address of metrics where they are served', () => {
    const addresses = { grpc: 'h:1', issuer: 'h:1', http: 'h:3' };
    expect(welcome('alice', PAIR, { ...addresses, metrics: 'h:4' }, settings())).to.include('http://h:4/metrics');
    expect(welcome('alice', PAIR, addresses, settings())).not.to.include('/metrics');
  });

  it("has the issuer's address beside it where that is apart", () => {
    const text = welcome('alice', PAIR, { grpc: 'h:1', issuer: 'h:2', http: 'h:3' }, settings());
    expect(text).to.match(
      /gRPC {3}h:1 +AuthService, reflection, health\n {2}gRPC {3}h:2 +IssuerService, reflection, health\n/,
    );
  });

  it('has a line that issues a token, to the issuer and with the credential from where it is', () => {
    const addresses = { grpc: 'h:1', issuer: 'h:2', http: 'h:3' };
    const text = welcome('alice', PAIR, addresses, settings({}, "$(cat '/data/issuer-token')"));
    const lines = text.split('\n').filter((line) => line.includes('IssuerService/IssueToken'));
    expect(lines).to.have.length(1);
    expect(lines[0]).to.match(/^grpcurl -plaintext -H "authorization: Bearer \$\(cat '\/data\/issuer-token'\)" -d '\{/);
    expect(lines[0]).to.match(/ h:2 auth\.v1\.IssuerService\/IssueToken$/);
  });

  it('says of a retry what is true of every algorithm, for as long as it is', () => {
    const text = welcome(
      'alice',
      PAIR,
      { grpc: 'h:1', issuer: 'h:1', http: 'h:3' },
      settings({ REFRESH_GRACE: '25s' }),
    );
    expect(text).to.include('again within 25s: the same session and generation');
  });
});
