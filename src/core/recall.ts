// Owns what is remembered of access tokens: that their signature and claims were found good, never what the store says.

import { authenticate, tell } from './authenticate.js';
import type { Context } from './context.js';
import { refusal } from './errors.js';
import { placeOf } from './place.js';
import type { Call } from './ports.js';
import { endsAtMs, timing } from './token.js';
import type { Verified } from './verified.js';

/**
 * An access token that was found authentic before, is in its time, and whose key is still taken. To check a signature
 * with every request of every service would cost more than all the rest.
 * @returns undefined if it must be looked at anew
 */
export function recall({ verified, keys, policy, store }: Context, call: Call, text: string): Verified | undefined {
  const known = verified.get(text);
  if (!known) return undefined;
  const { token } = known;
  const taken = token.kid === undefined || keys.verifies(token.kid);
  if (!taken || timing(token, policy, store.now(known.place.shard))) {
    verified.delete(text);
    return undefined;
  }
  tell(call, token);
  return known;
}

/**
 * Looks at an access token, and remembers it if it is authentic and in its time.
 * @throws InvalidInput, TokenRefused, StoreUnavailable while the time is not known
 */
export async function learn(context: Context, call: Call, text: string): Promise<Verified> {
  const { policy, store } = context;
  const token = await authenticate(context, call, 'access', text);
  const place = placeOf(store, token.subject, token.sessionId);
  const early = timing(token, policy, store.now(place.shard));
  if (early) throw refusal(early);
  const verified = { token, place, endsAt: Math.floor(endsAtMs(token, policy) / 1000) };
  context.verified.set(text, verified);
  return verified;
}
