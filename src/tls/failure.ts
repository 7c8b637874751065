// Owns the words for why a TLS connection could not be made. Imports nothing.

/** By the code of Node's error. Verification: https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const MEANINGS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by an unknown CA: itself',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate comes from an unknown CA',
  UNABLE_TO_GET_ISSUER_CERT: 'its certificate comes from an unknown CA',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate comes from an unknown CA',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate comes from an unknown CA',
  CERT_SIGNATURE_FAILURE: 'its certificate is not signed by the CA that it names',
  INVALID_PURPOSE: 'its certificate is not one for servers',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS there',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS there',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'it speaks no version of TLS that is safe',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'it speaks no version of TLS that is safe',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'it asks for a client certificate',
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: 'it refuses the handshake; it may ask for a client certificate',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'it does not know the CA of our client certificate',
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: 'it refuses our client certificate',
  ERR_SSL_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE: 'it refuses our client certificate: not one for clients',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: 'it refuses our client certificate: it has expired',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED: 'it refuses our client certificate: it is revoked',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: 'it refuses our client certificate',
};

/** What is wrong, said of the other side as "it", with the error's code; undefined if it is nothing of TLS. */
export function explainTls(error: unknown): string | undefined {
  const { code } = error as { code?: unknown };
  if (!(error instanceof Error) || typeof code !== 'string') return undefined;
  const meaning = MEANINGS[code];
  return meaning === undefined ? undefined : `${meaning} (${code})`;
}

/**
 * Puts to a gRPC library's words why a connection may have been closed unheard: of TLS on one side alone, and of a
 * certificate that is refused after the handshake, it says no more than that.
 */
export const explainClosed = (details: string, tls: boolean): string =>
  details.replace(/\bFailed to connect(?= \(|$)/, tls ? AFTER_HANDSHAKE : IN_PLAIN_TEXT);

const AFTER_HANDSHAKE = 'it closed the connection after the TLS handshake: it may refuse our client certificate';
const IN_PLAIN_TEXT = 'it closed the connection unheard: it may speak TLS there';
