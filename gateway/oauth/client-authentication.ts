// The authentication of OAuth clients, by hashes compared in constant time, and the check of their rights.

import { createHash, timingSafeEqual } from 'node:crypto';
import type { ClientRight, OAuthClient } from '../../src/settings/oauth-clients.js';
import type { ClientCredentials } from './client-credentials.js';
import { invalidClient, unauthorizedClient } from './errors.js';

export type Clients = ReadonlyMap<string, OAuthClient>;

/** What an unknown client is compared with, so that it takes about as long as a known one. No known secret has it. */
const NO_HASH = Buffer.alloc(32).toString('hex');

/**
 * @returns the client that the credentials belong to
 * @throws HttpError invalid_client
 */
export function authenticateClient(clients: Clients, { id, secrets }: ClientCredentials): OAuthClient {
  const client = clients.get(id);
  if (isOneOf(secrets, client?.secretHashes ?? [NO_HASH]) && client) return client;
  throw invalidClient('the client is unknown, or its secret is wrong');
}

/** @param lacking the status of the response if the client lacks the right @throws HttpError */
export function requireRight(
  clients: Clients,
  credentials: ClientCredentials | undefined,
  right: ClientRight,
  lacking: 400 | 403 = 400,
): OAuthClient {
  if (!credentials) throw invalidClient('the client must authenticate');
  const client = authenticateClient(clients, credentials);
  if (!client.rights.includes(right)) throw unauthorizedClient(lacking, `the client has no right ${right}`);
  return client;
}

/** Compares all with all, also after a match. */
const isOneOf = (secrets: readonly Buffer[], hashes: readonly string[]): boolean =>
  secrets
    .map((secret) => createHash('sha256').update(secret).digest())
    .reduce(
      (found, given) => hashes.reduce((any, hash) => timingSafeEqual(given, Buffer.from(hash, 'hex')) || any, found),
      false,
    );
