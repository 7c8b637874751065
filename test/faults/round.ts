// One round of calls under a fault: each call once, concurrently, on sessions of its own, timed.

import type { TokenPair } from '../../proto/gen/auth/v1/token.js';
import type { Answer } from '../e2e/browser.js';
import type { ServiceNode } from '../e2e/stage.js';
import { BASIC, type Scene } from './fault-scene.js';
import { type Attempt, codeOfFailure, type Ledger, verdictOf } from './ledger.js';

/** What a call does: it reads alone, or it writes; or the gateway calls for it. */
export type CallKind = 'read' | 'write' | 'rest';

/** A call that was made. */
export interface Made {
  readonly kind: CallKind;
  /** `near`: the node behind the proxy. */
  readonly at: 'near' | 'far';
  /** `OK`, the status of a failure, or a verdict that is wrong. */
  readonly outcome: string;
  readonly ms: number;
}

/** Makes each call once. */
export type Round = () => Promise<Made[]>;

async function timed(kind: CallKind, at: Made['at'], work: Promise<string>): Promise<Made> {
  const startMs = performance.now();
  return { kind, at, outcome: await work, ms: performance.now() - startMs };
}

const judge = async (node: ServiceNode, pair: TokenPair, wanted: string): Promise<string> => {
  const verdict = await verdictOf(node, pair);
  return verdict === wanted ? 'OK' : verdict;
};

async function logout({ client }: ServiceNode, attempt: Attempt): Promise<string> {
  const work = client.logout({ refreshToken: attempt.pair.refreshToken });
  return work.then(() => acknowledge(attempt), codeOfFailure);
}

async function refresh({ client }: ServiceNode, attempt: Attempt): Promise<string> {
  const work = client.refresh(attempt.pair.refreshToken);
  return work.then(({ refreshToken }) => acknowledge(attempt, refreshToken), codeOfFailure);
}

function acknowledge(attempt: Attempt, successor?: string): string {
  attempt.acknowledged = true;
  if (successor !== undefined) attempt.successor = successor;
  return 'OK';
}

async function overRest(attempt: Attempt, work: Promise<Answer>): Promise<string> {
  const { status, text } = await work;
  if (status === 200) return acknowledge(attempt, JSON.parse(text).refresh);
  return status === 503 && text.includes('service_unavailable') ? 'UNAVAILABLE' : `${status} ${text}`;
}

/** What the introspection endpoint says of a token: `OK` if that is right. */
async function introspect({ browser }: Scene, token: string, wanted: boolean): Promise<string> {
  const { status, text } = await browser.ask('/oauth2/introspect', {
    ...{ method: 'POST', body: new URLSearchParams({ token }), headers: { authorization: BASIC } },
  });
  if (status === 503) return 'UNAVAILABLE';
  return status === 200 && JSON.parse(text).active === wanted ? 'OK' : `${status} ${text}`;
}

/** What the revocation endpoint did with the refresh token of an attempt. */
async function revoke({ browser }: Scene, attempt: Attempt): Promise<string> {
  const body = new URLSearchParams({ token: attempt.pair.refreshToken });
  const { status, text } = await browser.ask('/oauth2/revoke', { method: 'POST', body });
  if (status === 200) return acknowledge(attempt);
  return status === 503 ? 'UNAVAILABLE' : `${status} ${text}`;
}

/** Makes the sessions of a round while all is well, and gives the round. */
export async function prepareRound(
  scene: Scene,
  ledger: Ledger,
  { good, dead }: { readonly good: TokenPair; readonly dead: TokenPair },
): Promise<Round> {
  const { near, far, browser } = scene;
  const open = async (kind: Attempt['kind']) => ledger.open(kind, await near.client.issue());
  const three = (kind: Attempt['kind']) => Promise.all([open(kind), open(kind), open(kind)]);
  const [[out, outByRest, outAtFar], [next, nextByRest, nextAtFar], outByOAuth] = await Promise.all([
    three('logout'),
    three('refresh'),
    open('logout'),
  ]);
  return () =>
    Promise.all([
      timed('read', 'near', judge(near, good, 'active')),
      timed('read', 'near', judge(near, dead, 'REVOKED')),
      timed(
        'read',
        'near',
        near.client.issue('carol').then(() => 'OK', codeOfFailure),
      ),
      timed('write', 'near', logout(near, out)),
      timed('write', 'near', refresh(near, next)),
      timed('rest', 'near', overRest(outByRest, browser.logout(outByRest.pair.refreshToken))),
      timed('rest', 'near', overRest(nextByRest, browser.refresh(nextByRest.pair.refreshToken))),
      timed('read', 'near', introspect(scene, good.accessToken, true)),
      timed('read', 'near', introspect(scene, good.refreshToken, true)),
      timed('read', 'near', introspect(scene, dead.refreshToken, false)),
      timed('rest', 'near', revoke(scene, outByOAuth)),
      timed('read', 'far', judge(far, good, 'active')),
      timed('write', 'far', logout(far, outAtFar)),
      timed('write', 'far', refresh(far, nextAtFar)),
    ]);
}
