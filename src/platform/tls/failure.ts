// Clear texts for failed TLS connections. Imports nothing.

/** By Node's error code (https://nodejs.org/api/tls.html#x509-certificate-error-codes). Alerts are in another table. */
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
};

/**
 * Alerts from the peer, by their names in RFC 8446, section 6. Node takes the names from OpenSSL, which puts the TLS
 * version that introduced the alert before them. The prefix varies: OpenSSL 3.0 (Node 20) writes
 * `ERR_SSL_SSLV3_ALERT_…` where OpenSSL 3.5 (Node 22 and 24) writes `ERR_SSL_SSL/TLS_ALERT_…`.
 */
const ALERT = /^ERR_SSL_[A-Z0-9/]+_ALERT_([A-Z_]+)$/;
const ALERTS: Readonly<Record<string, string>> = {
  PROTOCOL_VERSION: 'it speaks no version of TLS that is safe',
  CERTIFICATE_REQUIRED: 'it requires a client certificate',
  HANDSHAKE_FAILURE: 'it refuses the handshake; it may ask for a client certificate',
  UNKNOWN_CA: 'it does not know the CA of our client certificate',
  BAD_CERTIFICATE: 'it refuses our client certificate',
  UNSUPPORTED_CERTIFICATE: 'it refuses our client certificate: not one for clients',
  CERTIFICATE_EXPIRED: 'it refuses our client certificate: it has expired',
  CERTIFICATE_REVOKED: 'it refuses our client certificate: it is revoked',
  CERTIFICATE_UNKNOWN: 'it refuses our client certificate',
};

/** A text in which "it" is the peer, with the error's code; undefined if the error is not about TLS. */
export function explainTls(error: unknown): string | undefined {
  const { code } = error as { code?: unknown };
  if (!(error instanceof Error) || typeof code !== 'string') return undefined;
  const [, alert] = ALERT.exec(code) ?? [];
  const meaning = alert === undefined ? MEANINGS[code] : ALERTS[alert];
  return meaning === undefined ? undefined : `${meaning} (${code})`;
}

/**
 * Adds the likely cause to the gRPC library's text about a closed connection. The library itself gives none if only one
 * side uses TLS, or if the peer rejects a certificate after the handshake.
 */
export const explainClosed = (details: string, tls: boolean): string =>
  details.replace(/\bFailed to connect(?= \(|$)/, tls ? AFTER_HANDSHAKE : IN_PLAIN_TEXT);

const AFTER_HANDSHAKE = 'it closed the connection after the TLS handshake: it may refuse our client certificate';
const IN_PLAIN_TEXT = 'it closed the connection without a response: it may speak TLS there';
