// The entry of `latchkey/validator/fastify`: a plugin that guards routes, and a hook for single routes.

// For the declarations below alone: nothing of fastify is loaded.
import type {} from 'fastify';
import { linesOf } from '../bearer/credentials.js';
import type { ActiveToken, Validator } from '../validator/api.js';
import { type Decision, Guard } from './guard.js';
import { refusalOf } from './http-refusal.js';
import type { TokenRequirements } from './options.js';

export { authOf } from './identity.js';
export type { TokenRequirements } from './options.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** The identity of the token; null while no guard has let the request through. */
    auth: ActiveToken | null;
  }
  interface FastifyContextConfig {
    /** For `bearerAuth`: `false` leaves the route unguarded; requirements replace those of the plugin. */
    auth?: false | TokenRequirements;
  }
}

// Written out instead of imported, so that an application may have another version of fastify than this package.

/** What is used of fastify's request. */
export interface GuardedRequest {
  readonly raw: { readonly rawHeaders: readonly string[] };
  readonly routeOptions: { readonly config?: { readonly auth?: false | TokenRequirements } };
  readonly log: { warn(fields: object, message: string): void };
  auth?: ActiveToken | null;
}
/** What is used of fastify's reply. */
export interface GuardReply {
  code(status: number): unknown;
  headers(headers: Record<string, string>): unknown;
  type(mediaType: string): unknown;
  serializer(serialize: (body: unknown) => string): unknown;
  send(body: unknown): unknown;
}
export type Done = (error?: Error) => void;
/** A hook for `onRequest` or `preHandler`. */
export type GuardHook = (request: GuardedRequest, reply: GuardReply, done: Done) => void;

/** What is used of fastify's instance. */
export interface App {
  decorateRequest(name: 'auth', value: null): unknown;
  addHook(name: 'onRequest', hook: GuardHook): unknown;
  addHook(name: 'onRoute', hook: (route: { config?: { auth?: false | TokenRequirements } }) => void): unknown;
}

export interface BearerAuthOptions extends TokenRequirements {
  readonly validator: Validator;
}

/**
 * The plugin. Every route of the scope that registers it needs an active access token, unknown paths too; a route says
 * by `config.auth` that it needs none, or needs something else. Tokens are checked before the body is read.
 * @throws TypeError for a wrong requirement, when the application or the route is built
 */
export function bearerAuth(app: App, { validator, ...requirements }: BearerAuthOptions, done: Done): void {
  try {
    const hookFor = hooksOf(validator, requirements);
    app.decorateRequest('auth', null);
    app.addHook('onRoute', ({ config }) => {
      // So that a wrong requirement is found when the route is built.
      if (config?.auth !== undefined && config.auth !== false) hookFor(config.auth);
    });
    // A hook of the scope, and not of each route: those run last, after hooks that were added later than this plugin.
    app.addHook('onRequest', (request, reply, next) => {
      const own = request.routeOptions.config?.auth;
      if (own === false) next();
      else hookFor(own)(request, reply, next);
    });
    done();
  } catch (error) {
    done(error as Error);
  }
}

/** @returns the hook for the requirements of a route; undefined: those of the plugin */
function hooksOf(validator: Validator, usual: TokenRequirements): (own: TokenRequirements | undefined) => GuardHook {
  const hook = bearerHook(validator, usual);
  const hooks = new WeakMap<TokenRequirements, GuardHook>();
  return (own) => {
    if (own === undefined) return hook;
    const known = hooks.get(own);
    if (known) return known;
    const added = bearerHook(validator, own);
    hooks.set(own, added);
    return added;
  };
}

// The hooks are for the scope that registers the plugin, and not for one of its own.
// https://fastify.dev/docs/latest/Reference/Plugins/#handle-the-scope
Object.assign(bearerAuth, {
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: 'latchkey/validator/fastify',
});

/**
 * A hook that guards single routes: `{ onRequest: bearerHook(validator) }`.
 * @throws TypeError for a wrong requirement
 */
export function bearerHook(validator: Validator, requirements?: TokenRequirements): GuardHook {
  const guard = new Guard(validator, requirements);
  return (request, reply, done) => apply(guard, request, reply, done);
}

function apply(guard: Guard, request: GuardedRequest, reply: GuardReply, done: Done): void {
  const decision = guard.decide(linesOf(request.raw.rawHeaders, 'authorization'));
  if (decision instanceof Promise) {
    void decision.then((decided) => finish(decided, request, reply, done), done);
  } else {
    finish(decision, request, reply, done);
  }
}

function finish(decision: Decision, request: GuardedRequest, reply: GuardReply, done: Done): void {
  if (decision.kind === 'active') {
    request.auth = decision.auth;
    return done();
  }
  if (decision.kind === 'unknown') request.log.warn({ err: decision.error }, 'a request could not be authenticated');
  const { status, headers, body } = refusalOf(decision);
  reply.code(status);
  reply.headers({ ...headers });
  // Without a serializer of its own the reply would be shaped by the route's schema for this status.
  reply.type('application/json');
  reply.serializer(JSON.stringify);
  reply.send(body);
}
