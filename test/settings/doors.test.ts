// Tests of the settings of what proxies ask.

import { expect } from 'chai';
import { Environment } from '../../src/platform/env.js';
import { readExtAuthz } from '../../src/settings/proxies.js';

describe('the settings of proxies', () => {
  const read = (variables: Record<string, string>) => {
    const env = new Environment(variables);
    const settings = readExtAuthz(env);
    env.check();
    return settings;
  };

  it('leave external authorization off unless it is switched on', () => {
    expect(read({})).to.equal(undefined);
    expect(read({ EXT_AUTHZ: 'true' })).to.deep.equal({ unsureIsError: false, identityHeaders: ['latchkey'] });
    expect(read({ EXT_AUTHZ: 'true', EXT_AUTHZ_UNSURE: 'error' })?.unsureIsError).to.equal(true);
  });

  it('take identity headers by convention', () => {
    const headersOf = (CHECK_HEADERS: string) => read({ EXT_AUTHZ: 'true', CHECK_HEADERS })?.identityHeaders;
    expect(headersOf('remote-user, latchkey')).to.deep.equal(['latchkey', 'remote-user']);
    expect(headersOf('x-auth-request')).to.deep.equal(['x-auth-request']);
  });

  it('refuse what they do not know, with the names that they do', () => {
    for (const wrong of ['latchkey,remote', ',', 'Latchkey']) {
      expect(() => read({ CHECK_HEADERS: wrong })).to.throw('one or more of latchkey, remote-user, x-auth-request');
    }
    expect(() => read({ EXT_AUTHZ: 'yes' })).to.throw('true or false');
    expect(() => read({ EXT_AUTHZ_UNSURE: 'allow' })).to.throw('deny or error');
  });
});
