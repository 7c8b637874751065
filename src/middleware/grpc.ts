// The entry of `latchkey/validator/grpc`: an interceptor for servers of @grpc/grpc-js.

import { type Metadata, ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js';
import type { ActiveToken, Validator } from '../validator/api.js';
import { INTERNAL, statusOf } from './grpc-status.js';
import { type Decision, Guard } from './guard.js';
import type { TokenRequirements } from './options.js';
import { report } from './report.js';

export type { TokenRequirements } from './options.js';

export interface BearerInterceptorOptions extends TokenRequirements {
  /**
   * By the path of a method, such as `/shop.v1.Orders/Pay`: `false` leaves the method unguarded; requirements replace
   * those above.
   */
  readonly methods?: Readonly<Record<string, false | TokenRequirements>>;
  /** Gets the reason for each UNAVAILABLE or INTERNAL, for the log. It holds no part of a token. */
  readonly onError?: (reason: Error) => void;
}

/** The path of a method: the full name of its service, and its own. */
const METHOD = /^\/[\w.]+\/\w+$/;

/** The identities of calls that a guard has let through, by their metadata: handlers get the same object. */
const identities = new WeakMap<Metadata, ActiveToken>();

/**
 * The identity of a guarded call.
 * @throws Error if no guard has let the call through: then nothing is known about its token
 */
export function authOf({ metadata }: { readonly metadata: Metadata }): ActiveToken {
  const auth = identities.get(metadata);
  if (auth) return auth;
  throw new Error('this call has passed no guard of latchkey/validator; guard its method');
}

/**
 * The interceptor: `new Server({ interceptors: [bearerInterceptor(validator)] })`. Every method needs an active access
 * token in the metadata `authorization`, unless `methods` says otherwise.
 * @throws TypeError for a wrong requirement
 */
export function bearerInterceptor(validator: Validator, options: BearerInterceptorOptions = {}): ServerInterceptor {
  const { methods = {}, onError, ...requirements } = options;
  const usual = new Guard(validator, requirements);
  // Such a name matches no call, so its requirements would hold for nothing.
  const misnamed = Object.keys(methods).find((name) => !METHOD.test(name));
  if (misnamed !== undefined) {
    throw new TypeError(`methods names ${JSON.stringify(misnamed)}; wanted is a path such as /shop.v1.Orders/Pay`);
  }
  const guards = new Map(
    Object.entries(methods).map(([path, own]) => [path, own === false ? undefined : new Guard(validator, own)]),
  );
  return ({ path }, call) => {
    const guard = guards.has(path) ? guards.get(path) : usual;
    if (!guard) return new ServerInterceptingCall(call);
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, pass) => {
            const finish = (decision: Decision): void => {
              if (decision.kind === 'active') {
                identities.set(metadata, decision.auth);
                return pass(metadata);
              }
              if (decision.kind === 'unknown') report(onError, decision.error);
              call.sendStatus(statusOf(decision));
            };
            const fail = (error: Error): void => {
              report(onError, error);
              call.sendStatus(INTERNAL);
            };
            const lines = metadata.get('authorization').map(String);
            const decision = guard.decide(lines);
            if (decision instanceof Promise) void decision.then(finish, fail);
            else finish(decision);
          },
        }),
    });
  };
}
