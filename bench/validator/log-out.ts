// Logouts at a steady rate, and when each was acknowledged.

import { setTimeout as sleep } from 'node:timers/promises';
import { credentials, status } from '@grpc/grpc-js';
import { AuthServiceClient } from '../../proto/gen/auth/v1/auth_service.js';

/** The share of the time in which tokens are logged out; in the rest the last ones become known. */
export const SENDING_SHARE = 0.6;

/** The machine's monotonic clock, which all its processes share, ms. */
export const machineMs = (): number => Number(process.hrtime.bigint()) / 1e6;

const RETRY_MS = 100;
const BUSY: ReadonlySet<status> = new Set([status.UNAVAILABLE, status.RESOURCE_EXHAUSTED]);

/** @returns whether the logout was acknowledged */
const logOutOne = (client: AuthServiceClient, accessToken: string): Promise<boolean> =>
  new Promise((resolve, reject) =>
    client.logout({ accessToken, refreshToken: '', allSessions: false }, (error) => {
      if (error && !BUSY.has(error.code)) reject(error);
      else resolve(!error);
    }),
  );

/**
 * Logs tokens out, evenly spread, and waits until the time is over.
 * @returns when each was acknowledged, by the machine's monotonic clock, ms
 */
export async function logOut(address: string, tokens: readonly string[], ms: number): Promise<number[]> {
  const client = new AuthServiceClient(address, credentials.createInsecure());
  const startMs = performance.now();
  const acknowledged = await Promise.all(
    tokens.map(async (accessToken, index) => {
      await sleep(startMs + (index * ms * SENDING_SHARE) / tokens.length - performance.now());
      // On a busy machine the store or the service does not always answer in time; a client tries again.
      while (!(await logOutOne(client, accessToken))) await sleep(RETRY_MS);
      return machineMs();
    }),
  );
  await sleep(startMs + ms - performance.now());
  client.close();
  return acknowledged;
}
