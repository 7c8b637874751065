// AuthService: each RPC's way from message to use case and back.

import type { Context } from '../core/context.js';
import { keySet } from '../core/key-set.js';
import { logout } from '../core/logout.js';
import { refresh } from '../core/refresh.js';
import { validate } from '../core/validate.js';
import type { AUTH_SERVICE } from './encoding.js';
import { keySetMessage, validationMessage } from './messages.js';
import type { Unary, UnaryHandlers } from './unary.js';
import { validateTokens } from './validate-tokens.js';

export function authService(context: Context, unary: Unary): UnaryHandlers<typeof AUTH_SERVICE> {
  return {
    refreshToken: unary.handle('RefreshToken', async (request, call) => ({
      tokens: await refresh(context, call, request.refreshToken),
    })),

    logout: unary.handle('Logout', async (request, call) => {
      await logout(context, call, request);
      return {};
    }),

    // Every request of every service comes by here: a success is no news.
    validateToken: unary.handle(
      'ValidateToken',
      async (request, call) => {
        const validation = await validate(context, call, request.accessToken);
        if (!validation.active) call.note({ problem: validation.problem, why: validation.why });
        return validationMessage(validation, request.includeClaims);
      },
      'debug',
    ),

    validateTokens: unary.handle('ValidateTokens', validateTokens(context), 'debug'),

    // Every verifier asks again and again.
    getJsonWebKeySet: unary.handle('GetJsonWebKeySet', async () => keySetMessage(keySet(context)), 'debug'),
  };
}
