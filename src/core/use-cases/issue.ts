// The start of a session: the first pair after a login. It writes nothing: a session without an entry is active.

import type { Context } from '../context.js';
import { InvalidInput } from '../errors.js';
import type { Call } from '../ports.js';
import { storeKeysFor } from '../session/store-keys.js';
import { type Pair, signPair } from '../session/token-pair.js';
import { findInexact, formatPath } from '../token/claim-values.js';
import { type Claims, isReserved, isShallow } from '../token/claims.js';
import { MAX_CLAIM_DEPTH, TOKEN_SPARE_BYTES } from '../token/rules.js';
import { isSubject, MAX_SUBJECT_BYTES, makeSessionId } from '../token/session-id.js';
import { pairTimesNow } from '../token/token.js';

/**
 * Starts a session.
 * @param claims JSON values that all its tokens carry
 * @throws InvalidInput, StoreUnavailable
 */
export async function issue(context: Context, call: Call, subject: string, claims: Claims): Promise<Pair> {
  const { store, keys, crypto, policy, latestStart } = context;
  checkSubject(subject);
  checkClaims(claims, policy.subjectClaim);
  const storeKeys = storeKeysFor(store, subject, undefined);
  const { notBefore, birth } = await store.read(storeKeys);
  const nowMs = store.now(storeKeys.shard);
  // A login after an acknowledged cut-off is active, even in the same millisecond and whatever the clocks.
  const startMs = Math.max(nowMs, (notBefore?.atMs ?? 0) + 1, birth.atMs + 1);
  latestStart.record(storeKeys.shard, startMs);
  const sessionId = makeSessionId(startMs, crypto.randomBytes(10));
  const shared = {
    subject,
    sessionId,
    issuer: policy.issuer,
    audience: policy.audience,
    // For services that read the subject from another claim, such as simplejwt's user_id.
    claims: policy.subjectClaim === 'sub' ? claims : { ...claims, [policy.subjectClaim]: subject },
    fromElsewhere: false,
  };
  const times = pairTimesNow({ generation: 0, startMs, kid: keys.signingKid }, policy, nowMs);
  const pair = signPair(keys, shared, times, { field: 'claims', spareBytes: TOKEN_SPARE_BYTES });
  call.audit({ event: 'session_started', subject, sessionId, generation: 0 });
  return pair;
}

/** @throws InvalidInput unless the text is a valid subject */
export function checkSubject(subject: string): void {
  if (isSubject(subject)) return;
  const description = `must have 1 to ${MAX_SUBJECT_BYTES} bytes of valid UTF-8`;
  throw new InvalidInput({ field: 'subject', reason: subject === '' ? 'REQUIRED' : 'INVALID', description });
}

function checkClaims(claims: Claims, subjectClaim: string): void {
  const invalid = (reason: 'RESERVED' | 'INVALID', description: string): never => {
    throw new InvalidInput({ field: 'claims', reason, description });
  };
  const taken = Object.keys(claims).find((name) => isReserved(name) || name === subjectClaim);
  if (taken !== undefined) invalid('RESERVED', `the name ${taken} is reserved: leave it out or rename it`);
  if (!isShallow(claims)) invalid('INVALID', `must be nested at most ${MAX_CLAIM_DEPTH} deep`);
  const inexact = findInexact(claims);
  if (inexact) {
    const where = formatPath(inexact);
    invalid('INVALID', `the number at ${where} is not finite, or is whole and beyond ±(2^53−1): send it as a string`);
  }
}
