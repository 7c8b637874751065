// The entry of `latchkey/validator/express`: a middleware for express and other callers of `(request, response, next)`.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { linesOf } from '../bearer/credentials.js';
import type { ActiveToken, Validator } from '../validator/api.js';
import { type Decision, Guard } from './guard.js';
import { refusalOf } from './http-refusal.js';
import type { TokenRequirements } from './options.js';
import { report } from './report.js';

export { authOf } from './identity.js';
export type { TokenRequirements } from './options.js';

declare global {
  namespace Express {
    interface Request {
      /** The identity of the token, once `bearerAuth` has let the request through. */
      auth?: ActiveToken | undefined;
    }
  }
}

export type GuardedRequest = IncomingMessage & { auth?: ActiveToken | undefined };
export type Middleware = (request: GuardedRequest, response: ServerResponse, next: (error?: unknown) => void) => void;

/**
 * The middleware. Every request that reaches it needs an active access token; it guards the paths where it is mounted.
 * If it is unknown whether a token is active, the response is 503.
 * @param options what it requires, and `onError`, for the log
 * @throws TypeError for a wrong requirement
 */
export function bearerAuth(validator: Validator, options: BearerAuthOptions = {}): Middleware {
  const { onError, ...requirements } = options;
  const guard = new Guard(validator, requirements);
  return (request, response, next) => {
    const finish = (decision: Decision): void => {
      // An earlier middleware has answered meanwhile, such as one for timeouts. Nothing more may run for this request.
      if (response.writableEnded) return;
      if (decision.kind === 'active') {
        request.auth = decision.auth;
        return next();
      }
      if (decision.kind === 'unknown') report(onError, decision.error);
      // A response that has begun cannot become a refusal, and must not go on.
      if (response.headersSent) return void response.destroy();
      const { status, headers, body } = refusalOf(decision);
      response.writeHead(status, { ...headers, 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    };
    const decision = guard.decide(linesOf(request.rawHeaders, 'authorization'));
    if (decision instanceof Promise) void decision.then(finish, next);
    else finish(decision);
  };
}

export interface BearerAuthOptions extends TokenRequirements {
  /** Gets the reason for each 503, for the log. It holds no part of a token. */
  readonly onError?: (reason: Error) => void;
}
