// Tests of how the issuer's callers are set: credentials, names, and what is refused at the start.

import { expect } from 'chai';
import { ConfigError, Environment } from '../../src/platform/env.js';
import { type IssuerSettings, readIssuer } from '../../src/settings/issuer.js';

const [ONE, TWO] = ['1'.repeat(32), '2'.repeat(40)];

function read(variables: Record<string, string>, asksClients = true): IssuerSettings {
  const env = new Environment(variables);
  const settings = readIssuer(env, 'none', asksClients);
  env.check();
  return settings;
}

const faults = (variables: Record<string, string>, asksClients = true): readonly string[] => {
  try {
    read(variables, asksClients);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
};

describe("the settings of the issuer's callers", () => {
  it('take several credentials beside the one, with blanks around them', () => {
    const { issuerToken, otherIssuerTokens } = read({ ISSUER_TOKEN: ONE, ISSUER_TOKENS: ` ${TWO} ,${ONE},` });
    expect(issuerToken?.reveal()).to.equal(ONE);
    expect(otherIssuerTokens.map((token) => token.reveal())).to.deep.equal([TWO, ONE]);
    expect(read({ ISSUER_TOKENS: TWO }).issuerToken).to.equal(undefined);
  });

  it('take a credential for RevokeSubject alone, and refuse one that is too short or cannot be sent', () => {
    const revokers = (variables: Readonly<Record<string, string>>) =>
      read(variables).revokerTokens.map((token) => token.reveal());
    expect(revokers({ REVOKER_TOKEN: TWO })).to.deep.equal([TWO]);
    expect(revokers({ REVOKER_TOKEN: TWO, REVOKER_TOKENS: ` ${ONE}` })).to.deep.equal([TWO, ONE]);
    expect(revokers({})).to.deep.equal([]);
    expect(faults({ REVOKER_TOKENS: `${ONE},short` })[0]).to.match(
      /^REVOKER_TOKENS: found one that is too short \(number 2\)/,
    );
    for (const bad of ['2'.repeat(31), `${TWO}ü`, `${TWO} `]) {
      const [fault = '', ...more] = faults({ REVOKER_TOKEN: bad });
      expect([fault.includes(bad), more.length]).to.deep.equal([false, 0]);
      expect(fault).to.match(/^REVOKER_TOKEN: found .*, wanted at least 32 characters of printable ASCII/);
    }
  });

  it('refuse a bad one among several, and say which, but not what it is', () => {
    const bad = [
      '2'.repeat(31),
      `${'2'.repeat(20)} ${'2'.repeat(20)}`,
      `${'2'.repeat(40)}ü`,
      `${'2'.repeat(40)}\u007f`,
    ];
    for (const token of bad) {
      const [fault = '', ...others] = faults({ ISSUER_TOKENS: `${ONE},${token}` });
      expect(others).to.deep.equal([]);
      expect(fault).to.match(/^ISSUER_TOKENS: found one that .* \(number 2\), wanted /);
      expect(fault).to.not.include('2222').and.not.include('1111');
    }
    expect(faults({ ISSUER_TOKENS: ' , ' })).to.have.length(1);
  });

  it('count a short ISSUER_TOKEN as none only where no other caller is allowed', () => {
    expect(read({ ISSUER_TOKEN: 'short' }).issuerToken).to.equal(undefined);
    expect(faults({ ISSUER_TOKEN: 'short', ISSUER_TOKENS: ONE })).to.have.length(1);
    expect(faults({ ISSUER_TOKEN: 'short', ISSUER_CLIENT_NAMES: 'a' })).to.have.length(1);
  });

  it('take names to the letter, and refuse patterns, blanks, and names without a CA of clients', () => {
    const names = 'login.internal, spiffe://internal/ns/login';
    expect(read({ ISSUER_CLIENT_NAMES: names }).issuerClientNames).to.deep.equal([
      'login.internal',
      'spiffe://internal/ns/login',
    ]);
    for (const name of ['*.internal', 'a b', 'lögin.internal', '"a"', ' , ']) {
      expect(faults({ ISSUER_CLIENT_NAMES: name }), name).to.have.length(1);
    }
    const [fault] = faults({ ISSUER_CLIENT_NAMES: names }, false);
    expect(fault).to.match(/^GRPC_TLS_CLIENT_CA: found nothing/);
  });
});
