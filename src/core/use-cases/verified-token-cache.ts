// The cache of verified access tokens. It holds the result of signature and claims, never the state in the store.

import type { Context } from '../context.js';
import type { Call } from '../ports.js';
import { storeKeysFor } from '../session/store-keys.js';
import type { Verified } from '../session/verified-token.js';
import { refusal } from '../token/errors.js';
import { endsAtMs, namesSession, timing } from '../token/token.js';
import { authenticate } from './authenticate.js';

/**
 * Returns an access token that was verified before, has not expired, and whose key is still accepted. Verifying a
 * signature at each call would cost more than all the rest.
 * @returns undefined if it must be verified
 */
export function lookUp({ verified, keys, policy, store }: Context, call: Call, text: string): Verified | undefined {
  const cached = verified.get(text);
  if (!cached) return undefined;
  const { token } = cached;
  const taken = token.kid === undefined || keys.accepts(token.kid);
  if (!taken || timing(token, policy, store.now(cached.storeKeys.shard))) {
    verified.delete(text);
    return undefined;
  }
  if (namesSession(token)) call.setSessionId(token.sessionId);
  return cached;
}

/**
 * Verifies an access token, and caches it if it is authentic and within its time.
 * @throws InvalidInput, TokenRefused, StoreUnavailable while the store's time is not cached
 */
export async function verifyAndCache(context: Context, call: Call, text: string): Promise<Verified> {
  const { policy, store } = context;
  const token = await authenticate(context, call, 'access', text);
  const storeKeys = storeKeysFor(store, token.subject, token.sessionId);
  const early = timing(token, policy, store.now(storeKeys.shard));
  if (early) throw refusal(early);
  const verified = { token, storeKeys, endsAt: Math.floor(endsAtMs(token, policy) / 1000) };
  context.verified.set(text, verified);
  return verified;
}
