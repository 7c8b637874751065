// The handlers of AuthService: each turns a message into a use case's input, and its result into a message.

import type { Context } from '../../core/context.js';
import { StoreUnavailable } from '../../core/errors.js';
import type { Pair } from '../../core/session/token-pair.js';
import { type Introspection, introspect } from '../../core/use-cases/introspect.js';
import { keySet } from '../../core/use-cases/key-set.js';
import { logout } from '../../core/use-cases/logout.js';
import { refresh } from '../../core/use-cases/refresh.js';
import { type Validation, validate } from '../../core/use-cases/validate.js';
import type { ServiceCall } from '../call-context.js';
import type { AUTH_SERVICE } from '../codec/encoding.js';
import { introspectionMessage } from '../codec/introspection-message.js';
import { keySetMessage } from '../codec/key-set-message.js';
import { validationResponse } from '../codec/validation-response.js';
import type { CallObservers, ServiceHandlers, UnaryHandlers } from '../unary-handlers.js';
import { validateTokens } from './validate-tokens.js';

export function authService(
  context: Context,
  unary: UnaryHandlers,
  { metrics, tracing }: CallObservers = {},
): ServiceHandlers<typeof AUTH_SERVICE> {
  const refreshed = (call: ServiceCall, text: string): Promise<Pair> =>
    metrics ? metrics.refreshed(call, (counted) => refresh(context, counted, text)) : refresh(context, call, text);
  // Made once, because they are called for every validation.
  const onResult = (result: Validation | Introspection): void => metrics?.validated(result);
  const onFailure = (error: unknown): void => {
    if (error instanceof StoreUnavailable) metrics?.validated({ unavailable: error });
  };
  /** Counts the result of a validation, also if it cannot be known. */
  const counted = <Result extends Validation | Introspection>(work: Promise<Result>): Promise<Result> => {
    if (metrics) work.then(onResult, onFailure);
    return work;
  };

  return {
    refreshToken: unary.wrap('RefreshToken', async (request, call) => ({
      tokens: await refreshed(call, request.refreshToken),
    })),

    logout: unary.wrap('Logout', async (request, call) => {
      await logout(context, call, request);
      return {};
    }),

    // Called for every request to every protected service, so a success is logged at `debug`.
    validateToken: unary.wrap(
      'ValidateToken',
      async (request, call) => {
        const validation = await counted(validate(context, call, request.accessToken));
        if (!validation.active) call.addLogFields({ problem: validation.problem, why: validation.why });
        return validationResponse(validation, request.includeClaims);
      },
      'debug',
    ),

    validateTokens: unary.wrap('ValidateTokens', validateTokens(context, { metrics, tracing }), 'debug'),

    introspectToken: unary.wrap(
      'IntrospectToken',
      async (request, call) => {
        const introspection = await counted(introspect(context, call, request));
        if (!introspection.active) call.addLogFields({ problem: introspection.problem, why: introspection.why });
        return introspectionMessage(introspection);
      },
      'debug',
    ),

    // Called again and again by every verifier.
    getJsonWebKeySet: unary.wrap('GetJsonWebKeySet', async () => keySetMessage(keySet(context)), 'debug'),
  };
}
