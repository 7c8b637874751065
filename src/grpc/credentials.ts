// Owns how the gRPC server speaks TLS: what it shows, whom it lets in, and how new certificates get into use.

import type { SecureContextOptions } from 'node:tls';
import { ServerCredentials } from '@grpc/grpc-js';
import type { Certificates } from '../tls/certificates.js';
import { MIN_TLS, type TlsMaterial } from '../tls/pem.js';

/** How long a client may take for its handshake, ms. Node's own bound is two minutes. */
const HANDSHAKE_MS = 10_000;

/** The credentials of a listener; plain text without certificates. */
export const serverCredentials = (certificates: Certificates | undefined): ServerCredentials =>
  certificates ? new TlsServerCredentials(certificates) : ServerCredentials.createInsecure();

/**
 * The library's own way to follow files turns every connection away while one of them is missing, or while key and
 * certificate do not fit. Here only what was checked gets into use.
 */
class TlsServerCredentials extends ServerCredentials {
  constructor(certificates: Certificates) {
    const { current } = certificates;
    const asksClients = current.pem.ca !== undefined;
    super(
      { handshakeTimeout: HANDSHAKE_MS, requestCert: asksClients, rejectUnauthorized: asksClients },
      contextOf(current),
    );
    certificates.watch((material) => this.updateSecureContextOptions(contextOf(material)));
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}

const contextOf = ({ pem }: TlsMaterial): SecureContextOptions => ({ ...pem, minVersion: MIN_TLS });
