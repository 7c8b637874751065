// Tests of the headers that carry an accepted token's identity.

import { expect } from 'chai';
import { CONVENTIONS, encodeValue, IdentityHeaders } from '../../src/bearer/identity-headers.js';

describe('bearer: identity headers', () => {
  const identity = { subject: 'alice', sessionId: '0198', expiresAt: 1_795_355_257 };

  it('names subject, session and end', () => {
    expect(new IdentityHeaders(['latchkey']).for(identity)).to.deep.equal({
      'x-latchkey-subject': 'alice',
      'x-latchkey-session': '0198',
      'x-latchkey-expires': '1795355257',
    });
  });

  it('leaves no header of a convention out, so that a copy overwrites each', () => {
    const headers = new IdentityHeaders(CONVENTIONS).for({ ...identity, sessionId: '' });
    expect(headers).to.include({ 'x-latchkey-session': '', 'remote-groups': '', 'x-auth-request-email': '' });
    expect(headers).to.include({ 'remote-user': 'alice', 'x-auth-request-user': 'alice' });
    expect(Object.keys(headers)).to.have.length(11);
  });

  it('encodes what a header cannot carry, and nothing else', () => {
    for (const text of ['a b', 'é', '100%', '\r\nx: y', '😀', 'a,b;c="d"', '\u007f', ' x ']) {
      const value = encodeValue(text);
      expect(value).to.match(/^[!-~]*$/);
      expect(decodeURIComponent(value)).to.equal(text);
    }
    expect(encodeValue('auth0|5f7c8ec7c33c6c004bbafe82,+=')).to.equal('auth0|5f7c8ec7c33c6c004bbafe82,+=');
  });

  it('finds the aliases of its names, and never the names themselves', () => {
    const headers = new IdentityHeaders(['latchkey', 'remote-user']);
    const names = [
      'X_Latchkey_Subject',
      'x-latchkey-subject',
      'x.latchkey.session',
      'Remote_User',
      'remote-user-id',
      'x~latchkey!expires',
    ];
    expect(headers.aliasesAmong(names)).to.deep.equal([
      'X_Latchkey_Subject',
      'x.latchkey.session',
      'Remote_User',
      'x~latchkey!expires',
    ]);
  });
});
