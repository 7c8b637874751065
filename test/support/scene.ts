// Short scenes of the real core on a store that answers at once: two nodes, a clock moved by hand, and the events.

import type { Context } from '../../src/core/context.js';
import { InvalidInput, StoreUnavailable } from '../../src/core/errors.js';
import type { AuditEvent } from '../../src/core/events/audit.js';
import type { Policy } from '../../src/core/policy.js';
import type { Call } from '../../src/core/ports.js';
import type { Pair } from '../../src/core/session/token-pair.js';
import type { Claims } from '../../src/core/token/claims.js';
import { TokenRefused } from '../../src/core/token/errors.js';
import { issue, type Login } from '../../src/core/use-cases/issue.js';
import { logout } from '../../src/core/use-cases/logout.js';
import { refresh } from '../../src/core/use-cases/refresh.js';
import { revokeSubject } from '../../src/core/use-cases/revoke-subject.js';
import { validate } from '../../src/core/use-cases/validate.js';
import { aCall, loginOf, type Node, node, POLICY, run, settle, World } from './world.js';

export class Scene {
  readonly world: World;
  readonly events: AuditEvent[] = [];
  context: Node;

  /** @param reachedSinceMs since when the node has reached the store, Unix ms */
  constructor(policy: Partial<Policy> = {}, reachedSinceMs = 0) {
    this.world = new World(reachedSinceMs);
    this.context = this.node(policy);
  }

  /** Another node on the same store, with settings of its own. */
  node(policy: Partial<Policy> = {}): Node {
    return node(this.world.store(0), { ...POLICY, ...policy });
  }

  /** The names of the events so far, which are then forgotten. */
  takeEvents(): string[] {
    return this.events.splice(0).map(({ event }) => event);
  }

  /** Runs a call to its end. */
  run<T>(call: (context: Context, call: Call) => Promise<T>): Promise<T> {
    return run(
      this.world,
      call(
        this.context,
        aCall((event) => this.events.push(event)),
      ),
    );
  }

  issue(subject = 'alice', claims: Claims = {}, oauth: Partial<Login> = {}): Promise<Pair> {
    return this.run((context, call) => issue(context, call, { ...loginOf(subject), claims, ...oauth }));
  }

  refresh(token: string): Promise<Pair> {
    return this.run((context, call) => refresh(context, call, token));
  }

  /** Begins a refresh whose steps are taken one by one, by `step`. */
  begin(token: string): Promise<Pair> {
    return refresh(this.context, aCall(), token);
  }

  /** Takes the step that has waited longest. */
  async step(): Promise<void> {
    await settle();
    this.world.pending[0]?.take();
    await settle();
  }

  /** Has the step that has waited longest fail. */
  async fail(): Promise<void> {
    await settle();
    this.world.pending[0]?.fail();
    await settle();
  }

  logout(accessToken: string, refreshToken: string, allSessions = false): Promise<void> {
    return this.run((context, call) => logout(context, call, { accessToken, refreshToken, allSessions }));
  }

  revokeSubject(subject: string): Promise<void> {
    return this.run((context, call) => revokeSubject(context, call, subject));
  }

  /** `active`, or the problem and its cause. */
  async verdict(accessToken: string): Promise<string> {
    const validation = await this.run((context, call) => validate(context, call, accessToken));
    if (validation.active) return 'active';
    return validation.why === undefined ? validation.problem : `${validation.problem} ${validation.why}`;
  }
}

/** The name of a call's failure: the problem of a token, or the reason and field of bad input. */
export async function failure(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'none';
  } catch (error) {
    if (error instanceof TokenRefused) return error.problem;
    if (error instanceof InvalidInput) return `${error.violation.reason} ${error.violation.field}`;
    if (error instanceof StoreUnavailable) return 'UNAVAILABLE';
    throw error;
  }
}

/** A token of the plain keys with some claims changed; `undefined` takes a claim out. */
export function altered(token: string, claims: Record<string, unknown>): string {
  const { payload, ...rest } = JSON.parse(token);
  return JSON.stringify({ ...rest, payload: { ...payload, ...claims } });
}
