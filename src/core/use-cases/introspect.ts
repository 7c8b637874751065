// Introspection (RFC 7662) of a token of either kind: whether it is active now, and the response. It changes nothing.

import type { Context } from '../context.js';
import { InvalidInput } from '../errors.js';
import type { Call } from '../ports.js';
import { validityOfRefresh } from '../session/refresh-rule.js';
import { whyDenied } from '../session/session-state.js';
import { storeKeysFor } from '../session/store-keys.js';
import type { Claims } from '../token/claims.js';
import { type TokenProblem, TokenRefused } from '../token/errors.js';
import { activeResponse, INACTIVE, signedResponseClaims } from '../token/introspection.js';
import { MAX_TOKEN_BYTES } from '../token/rules.js';
import { endsAtMs, type Token } from '../token/token.js';
import { authenticate } from './authenticate.js';
import { confirmDenial } from './confirm-denial.js';
import { isClientId } from './issue.js';
import { validate } from './validate.js';

export interface IntrospectionRequest {
  /** An access token or a refresh token. */
  readonly token: string;
  /** The client that a signed response is for; empty: none is wanted. */
  readonly jwtAudience: string;
}

/** The result, with its reason for callers inside: the response does not have it. */
export type Introspection = Answer & ({ readonly active: true } | ({ readonly active: false } & Inactive));

interface Inactive {
  readonly problem: TokenProblem;
  /** Why a REVOKED token was revoked. */
  readonly why: string | undefined;
}

interface Answer {
  /** The members of the response. */
  readonly response: Claims;
  /** The same, signed; undefined: it was not wanted, or the service has no issuer or no key that others can verify. */
  readonly jwt: string | undefined;
}

/** The result for one token. */
type Validity = { readonly token: Token; readonly endsAt: number } | Inactive;

/**
 * Decides whether a token is active. Nothing is written and no session ends, whatever the token is.
 * @throws InvalidInput, StoreUnavailable if that cannot be determined
 */
export async function introspect(context: Context, call: Call, request: IntrospectionRequest): Promise<Introspection> {
  const { token: text, jwtAudience } = request;
  if (text === '') throw new InvalidInput({ field: 'token', reason: 'REQUIRED', description: 'must not be empty' });
  if (jwtAudience !== '' && !isClientId(jwtAudience)) {
    const description = 'must be a client id: 1 to 255 characters of printable ASCII';
    throw new InvalidInput({ field: 'jwt_audience', reason: 'INVALID', description });
  }
  const validity = await validityOf(context, call, text);
  const answer = (response: Claims, shard: number): Answer => ({
    response,
    jwt: jwtAudience === '' ? undefined : sign(context, jwtAudience, shard, response),
  });
  if ('problem' in validity) {
    const { problem, why } = validity;
    return { active: false, problem, why, ...answer(INACTIVE, 0) };
  }
  const { token, endsAt } = validity;
  return { active: true, ...answer(activeResponse(token, endsAt), context.store.shardOf(token.subject)) };
}

/** Only a wrong type says that the token may be of the other kind. */
async function validityOf(context: Context, call: Call, text: string): Promise<Validity> {
  // Not an invalid request: a client may ask about any text, and no token is that large.
  if (text.length > MAX_TOKEN_BYTES) return { problem: 'MALFORMED', why: undefined };
  const access = await validate(context, call, text);
  if (access.active) return access.verified;
  if (access.problem !== 'WRONG_TYPE') return access;
  try {
    return await validityOfRefreshToken(context, call, await authenticate(context, call, 'refresh', text));
  } catch (error) {
    if (error instanceof TokenRefused) return { problem: error.problem, why: error.why };
    throw error;
  }
}

/** Decides as RefreshToken would, and carries nothing out. */
async function validityOfRefreshToken(context: Context, call: Call, token: Token): Promise<Validity> {
  const { store, policy } = context;
  const { subject, sessionId, generation } = token;
  const storeKeys = storeKeysFor(store, subject, sessionId);
  const state = await store.read(storeKeys);
  const nowMs = store.now(storeKeys.shard);
  const reachedMs = store.reachedMsSince(storeKeys.shard, state.session?.atMs ?? nowMs);
  const validity = validityOfRefresh(token, state, { nowMs, reachedMs, raced: false }, policy);
  if (validity.active) return { token, endsAt: Math.floor(endsAtMs(token, policy) / 1000) };
  const { problem, denied } = validity;
  if (denied === 'lost') call.audit({ event: 'session_lost', subject, sessionId, generation });
  await confirmDenial(context, token, state, denied);
  return { problem, why: problem === 'REVOKED' && denied ? whyDenied(denied, state) : undefined };
}

function sign({ store, keys, policy }: Context, audience: string, shard: number, response: Claims): string | undefined {
  if (policy.issuer === undefined) return undefined;
  const issuedAt = Math.floor(store.now(shard) / 1000);
  return keys.signIntrospection(signedResponseClaims(policy.issuer, audience, issuedAt, response));
}
