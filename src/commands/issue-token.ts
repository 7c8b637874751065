// The call of IssueToken for the command line, with the credential of IssuerService.

import { Metadata } from '@grpc/grpc-js';
import { IssuerServiceClient } from '../../proto/gen/auth/v1/issuer_service.js';
import type { TokenPair } from '../../proto/gen/auth/v1/token.js';
import { formatAddress, type Secret } from '../platform/env.js';
import { CallFailed, credentialsFor, DIRECT, describeFailure, type Target } from './grpc-failure.js';

const DEADLINE_MS = 5_000;

/**
 * Starts a session.
 * @throws CallFailed, TlsFileError
 */
export async function issueToken(
  target: Target,
  credential: Secret | undefined,
  subject: string,
  claims: Record<string, unknown> | undefined,
): Promise<TokenPair> {
  const client = new IssuerServiceClient(formatAddress(target.address), credentialsFor(target), DIRECT);
  const metadata = new Metadata();
  if (credential) setCredential(metadata, credential);
  const options = { deadline: Date.now() + DEADLINE_MS };
  try {
    return await new Promise((resolve, reject) => {
      client.issueToken({ subject, claims, clientId: '', scope: '' }, metadata, options, (error, response) => {
        if (response?.tokens) resolve(response.tokens);
        else reject(error ?? new Error('IssueToken answered no tokens'));
      });
    });
  } catch (error) {
    throw new CallFailed(describeFailure(error, target), { cause: error });
  } finally {
    client.close();
  }
}

/** @throws CallFailed, because the library's own error contains the credential */
function setCredential(metadata: Metadata, credential: Secret): void {
  try {
    metadata.set('authorization', `Bearer ${credential.reveal()}`);
  } catch {
    throw new CallFailed('ISSUER_TOKEN has a character that a header cannot have; wanted printable ASCII');
  }
}
