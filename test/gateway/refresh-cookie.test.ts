// Tests of the refresh cookie and of the check of pages, as pure rules: each attribute, each odd header.

import { expect } from 'chai';
import { csrfFault, localhostFault } from '../../gateway/http/csrf.js';
import { clearCookie, findCookie, storeCookie } from '../../gateway/http/refresh-cookie.js';
import { ownCpuMs } from '../support/processor-time.js';

describe('the refresh cookie', () => {
  it('has these attributes, byte for byte', () => {
    expect([storeCookie('true', 'a.b-_c', 604_800), clearCookie('true')]).to.deep.equal([
      '__Secure-lk-refresh=a.b-_c; HttpOnly; Secure; SameSite=Strict; Path=/api/auth/; Max-Age=604800',
      '__Secure-lk-refresh=; HttpOnly; Secure; SameSite=Strict; Path=/api/auth/; Max-Age=0',
    ]);
    expect([storeCookie('host', 't', 1), clearCookie('host')]).to.deep.equal([
      '__Host-lk-refresh=t; HttpOnly; Secure; SameSite=Strict; Path=/; Max-Age=1',
      '__Host-lk-refresh=; HttpOnly; Secure; SameSite=Strict; Path=/; Max-Age=0',
    ]);
    expect([storeCookie('localhost', 't', -5), clearCookie('localhost')]).to.deep.equal([
      'lk-refresh=t; HttpOnly; SameSite=Strict; Path=/api/auth/; Max-Age=0',
      'lk-refresh=; HttpOnly; SameSite=Strict; Path=/api/auth/; Max-Age=0',
    ]);
  });

  const name = '__Secure-lk-refresh';
  const one = { kind: 'one', token: 't' };
  for (const [header, found] of [
    [undefined, { kind: 'none' }],
    ['', { kind: 'none' }],
    [`${name}=t`, one],
    [`a=1; ${name}=t; b=2`, one],
    [`a=1;${name} =\tt ;b`, one],
    [`${name}=a=b`, { kind: 'one', token: 'a=b' }],
    [`${name}=`, { kind: 'none' }],
    [name, { kind: 'none' }],
    [`${name}=t; ${name}=t`, { kind: 'several' }],
    [`${name}=t; ${name}=`, { kind: 'several' }],
    // What browsers let any page set, because it has not the protected prefix.
    [`${name.toUpperCase()}=t`, { kind: 'none' }],
    [`\u00a0${name}=t`, { kind: 'none' }],
    [`\u0085${name}=t`, { kind: 'none' }],
    [`${name}\u00a0=t`, { kind: 'none' }],
    [`x${name}=t; lk-refresh=t; __Host-lk-refresh=t`, { kind: 'none' }],
    [`a="; ${name}=t; b="`, one],
  ] as const) {
    it(`is found in ${JSON.stringify(header)} to the letter: ${found.kind}`, () => {
      expect(findCookie('true', header)).to.deep.equal(found);
    });
  }

  it('is looked for without delay in the largest header', () => {
    const beforeMs = ownCpuMs();
    findCookie('true', `${' '.repeat(16_000)}a${' '.repeat(16_000)}=${'; '.repeat(16_000)}`);
    expect(ownCpuMs() - beforeMs).to.be.below(500);
  });
});

describe('the check of pages', () => {
  const OWN = 'https://app.example.com';
  const LISTED = ['https://www.example.com', 'https://other.test'];
  const host = 'app.example.com';

  for (const [site, origin, at] of [
    ['same-origin', undefined, host],
    ['same-origin', OWN, host],
    ['same-origin', OWN, 'APP.example.com:443'],
    ['same-origin', 'http://localhost:8080', 'localhost:8080'],
    ['same-origin', 'http://[::1]:8080', '[::1]:8080'],
    ['same-origin', LISTED[0], 'gateway:8080'],
    ['same-site', LISTED[0], host],
    ['cross-site', LISTED[1], host],
  ] as const) {
    it(`accepts ${site} from ${origin} at ${at}`, () => {
      expect(csrfFault({ site, origin, host: at }, LISTED)).to.equal(undefined);
    });
  }

  for (const [site, origin, at, fault] of [
    [undefined, OWN, host, 'Sec-Fetch-Site'],
    ['none', OWN, host, 'Sec-Fetch-Site'],
    ['none', LISTED[0], host, 'Sec-Fetch-Site'],
    ['Same-Origin', OWN, host, 'Sec-Fetch-Site'],
    ['same-origin, same-origin', OWN, host, 'Sec-Fetch-Site'],
    ['same-site', undefined, host, 'CORS_ORIGINS'],
    ['same-site', OWN, host, 'CORS_ORIGINS'],
    ['cross-site', undefined, host, 'CORS_ORIGINS'],
    ['cross-site', 'null', host, 'CORS_ORIGINS'],
    ['cross-site', 'https://evil.test', host, 'CORS_ORIGINS'],
    ['cross-site', `${LISTED[0]}, ${LISTED[0]}`, host, 'CORS_ORIGINS'],
    ['same-origin', 'https://evil.test', host, 'neither of the host'],
    ['same-origin', 'null', host, 'neither of the host'],
    ['same-origin', '', host, 'neither of the host'],
    ['same-origin', OWN, 'app.example.com:8443', 'neither of the host'],
    ['same-origin', OWN, 'evil.test@app.example.com', 'neither of the host'],
    ['same-origin', OWN, 'app.example.com/x', 'neither of the host'],
    ['same-origin', OWN, undefined, 'neither of the host'],
    ['same-origin', 'capacitor://app.example.com', host, 'neither of the host'],
  ] as const) {
    it(`refuses ${site} from ${origin} at ${at}`, () => {
      expect(csrfFault({ site, origin, host: at }, LISTED)).to.contain(fault);
    });
  }

  it('lets the cookie of development be used on this machine alone', () => {
    const local = ['localhost', 'localhost:8080', 'app.localhost:1', '127.0.0.1:8080', '[::1]:8080', 'LOCALHOST'];
    expect(local.map(localhostFault)).to.deep.equal(local.map(() => undefined));
    for (const other of [undefined, '', 'example.com', 'localhost.example.com', 'xlocalhost', '127.0.0.1.evil.test']) {
      expect(localhostFault(other), other).to.contain('REFRESH_COOKIE=localhost is for http://localhost alone');
    }
  });
});
