// Tests of the words for a failed TLS connection, under the error codes of every OpenSSL that Node comes with.

import { expect } from 'chai';
import { explainTls } from '../../../src/platform/tls/failure.js';

const failed = (code: string): Error => Object.assign(new Error('failed'), { code });

/** The code of an alert by OpenSSL 3.0 (Node 20), by OpenSSL 3.5 (Node 22 and 24), and what it means. */
const ALERTS = [
  ['SSLV3_ALERT_HANDSHAKE_FAILURE', 'SSL/TLS_ALERT_HANDSHAKE_FAILURE', 'it may ask for a client certificate'],
  ['SSLV3_ALERT_BAD_CERTIFICATE', 'SSL/TLS_ALERT_BAD_CERTIFICATE', 'it refuses our client certificate'],
  ['SSLV3_ALERT_UNSUPPORTED_CERTIFICATE', 'SSL/TLS_ALERT_UNSUPPORTED_CERTIFICATE', 'not one for clients'],
  ['SSLV3_ALERT_CERTIFICATE_EXPIRED', 'SSL/TLS_ALERT_CERTIFICATE_EXPIRED', 'it has expired'],
  ['SSLV3_ALERT_CERTIFICATE_REVOKED', 'SSL/TLS_ALERT_CERTIFICATE_REVOKED', 'it is revoked'],
  ['SSLV3_ALERT_CERTIFICATE_UNKNOWN', 'SSL/TLS_ALERT_CERTIFICATE_UNKNOWN', 'it refuses our client certificate'],
  ['TLSV1_ALERT_UNKNOWN_CA', 'TLSV1_ALERT_UNKNOWN_CA', 'it does not know the CA'],
  ['TLSV1_ALERT_PROTOCOL_VERSION', 'TLSV1_ALERT_PROTOCOL_VERSION', 'no version of TLS'],
  ['TLSV13_ALERT_CERTIFICATE_REQUIRED', 'TLSV13_ALERT_CERTIFICATE_REQUIRED', 'it requires a client certificate'],
] as const;

describe('the words for a failed TLS connection', () => {
  for (const [before, now, words] of ALERTS) {
    it(`explain the alert ${before.replace(/^.*_ALERT_/, '')} under its names in OpenSSL 3.0 and 3.5`, () => {
      for (const code of [`ERR_SSL_${before}`, `ERR_SSL_${now}`]) {
        expect(explainTls(failed(code)), code)
          .to.include(words)
          .and.include(`(${code})`);
      }
    });
  }

  it('say nothing of what is no failure of TLS, or has no meaning of its own', () => {
    for (const code of ['ECONNREFUSED', 'ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR', 'SSLV3_ALERT_CERTIFICATE_EXPIRED']) {
      expect(explainTls(failed(code)), code).to.equal(undefined);
    }
    expect(explainTls(new Error('no code'))).to.equal(undefined);
  });
});
