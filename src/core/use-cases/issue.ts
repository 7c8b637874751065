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

/** What a login says of its session. */
export interface Login {
  readonly subject: string;
  /** JSON values that all tokens of the session carry. */
  readonly claims: Claims;
  /** The claim `client_id`; empty: the one of the settings. */
  readonly clientId: string;
  /** The claim `scope`; empty: none. */
  readonly scope: string;
}

/**
 * Starts a session.
 * @throws InvalidInput, StoreUnavailable
 */
export async function issue(context: Context, call: Call, login: Login): Promise<Pair> {
  const { store, keys, crypto, policy, latestStart } = context;
  const { subject, scope } = login;
  checkSubject(subject);
  checkClaims(login.claims, policy.subjectClaim);
  checkOAuth(login);
  const clientId = login.clientId || policy.clientId;
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
    claims: {
      ...(clientId === undefined ? {} : { client_id: clientId }),
      ...(scope === '' ? {} : { scope }),
      ...login.claims,
      ...(policy.subjectClaim === 'sub' ? {} : { [policy.subjectClaim]: subject }),
    },
    adoptedSession: false,
  };
  const times = pairTimesNow({ generation: 0, startMs, kid: keys.signingKid }, policy, nowMs);
  const pair = signPair(keys, shared, times, { field: 'claims', spareBytes: TOKEN_SPARE_BYTES });
  call.audit({ event: 'session_started', subject, sessionId, generation: 0 });
  return pair;
}

/** The claims that IssueToken has fields for. Tokens carry them as any other claim. */
export const isOwnField = (name: string): boolean => name === 'client_id' || name === 'scope';

const MAX_CLIENT_ID = 255;
const MAX_SCOPE = 1024;
/** RFC 6749, appendices A.1 and A.4. */
const CLIENT_ID = /^[\x20-\x7e]+$/;
const SCOPE = /^[!#-[\]-~]+( [!#-[\]-~]+)*$/;

export const isClientId = (text: string): boolean => text.length <= MAX_CLIENT_ID && CLIENT_ID.test(text);

/** @throws InvalidInput */
function checkOAuth({ clientId, scope }: Login): void {
  const invalid = (field: string, description: string): never => {
    throw new InvalidInput({ field, reason: 'INVALID', description });
  };
  if (clientId !== '' && !isClientId(clientId)) {
    invalid('client_id', `must have 1 to ${MAX_CLIENT_ID} characters of printable ASCII`);
  }
  if (scope !== '' && !(scope.length <= MAX_SCOPE && SCOPE.test(scope))) {
    const names = 'names of printable ASCII without " and \\, separated by single spaces';
    invalid('scope', `must be ${names}, at most ${MAX_SCOPE} characters`);
  }
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
  const field = Object.keys(claims).find(isOwnField);
  if (field !== undefined) invalid('RESERVED', `the name ${field} is reserved: send it as the field ${field}`);
  const taken = Object.keys(claims).find((name) => isReserved(name) || name === subjectClaim);
  if (taken !== undefined) invalid('RESERVED', `the name ${taken} is reserved: leave it out or rename it`);
  if (!isShallow(claims)) invalid('INVALID', `must be nested at most ${MAX_CLAIM_DEPTH} deep`);
  const inexact = findInexact(claims);
  if (inexact) {
    const where = formatPath(inexact);
    invalid('INVALID', `the number at ${where} is not finite, or is whole and beyond ±(2^53−1): send it as a string`);
  }
}
