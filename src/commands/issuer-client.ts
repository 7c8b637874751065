// Owns the call of IssuerService that the command line makes.

import { credentials, Metadata } from '@grpc/grpc-js';
import { IssuerServiceClient } from '../../proto/gen/auth/v1/issuer_service.js';
import type { TokenPair } from '../../proto/gen/auth/v1/token.js';
import { type Address, formatAddress, type Secret } from '../env.js';
import { CallFailed, DIRECT, describeFailure } from './grpc-failure.js';

const DEADLINE_MS = 5_000;

/**
 * Starts a session.
 * @param setting the variable that says where the service is
 * @throws CallFailed
 */
export async function issueToken(
  address: Address,
  credential: Secret | undefined,
  subject: string,
  claims: Record<string, unknown> | undefined,
  setting: string,
): Promise<TokenPair> {
  const client = new IssuerServiceClient(formatAddress(address), credentials.createInsecure(), DIRECT);
  const metadata = new Metadata();
  if (credential) metadata.set('authorization', `Bearer ${credential.reveal()}`);
  const options = { deadline: Date.now() + DEADLINE_MS };
  try {
    return await new Promise((resolve, reject) => {
      client.issueToken({ subject, claims }, metadata, options, (error, response) => {
        if (response?.tokens) resolve(response.tokens);
        else reject(error ?? new Error('IssueToken answered no tokens'));
      });
    });
  } catch (error) {
    throw new CallFailed(describeFailure(error, address, setting), { cause: error });
  } finally {
    client.close();
  }
}
