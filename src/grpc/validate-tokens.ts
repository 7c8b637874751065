// Owns the batch: many tokens in one call, without holding up the calls beside it.

import type { ValidateTokensRequest, ValidateTokensResponse } from '../../proto/gen/auth/v1/auth_service.js';
import type { Context } from '../core/context.js';
import { StoreUnavailable } from '../core/errors.js';
import type { Call } from '../core/ports.js';
import { checkCount, validateAmong } from '../core/validate-many.js';
import { resultMessage } from './messages.js';
import type { Handler } from './unary.js';

/** After so long others have their turn: a thousand new tokens are a tenth of a second of checking signatures. */
const SLICE_MS = 2;
/** Tokens of a batch that are as much work as one call by itself. */
const TOKENS_A_CALL = 8;

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export const validateTokens =
  (context: Context): Handler<ValidateTokensRequest, ValidateTokensResponse> =>
  async ({ accessTokens, includeClaims }, call) => {
    checkCount(accessTokens.length);
    call.weighs(accessTokens.length / TOKENS_A_CALL);
    // The line of the call is about no session in particular.
    const each: Call = {
      get budgetMs() {
        return call.budgetMs;
      },
      concerns: () => {},
      audit: (event) => call.audit(event),
    };
    const failures: unknown[] = [];
    const verdicts = [];
    let sinceMs = performance.now();
    for (const text of accessTokens) {
      if (performance.now() - sinceMs > SLICE_MS) {
        await nextTurn();
        if (call.budgetMs <= 0) throw new StoreUnavailable('the caller has given up');
        sinceMs = performance.now();
      }
      // Taken at once: a rejection that waits for the loop to end would be nobody's.
      verdicts.push(validateAmong(context, each, text).catch((error: unknown) => void failures.push(error)));
    }
    const results = [];
    let [active, cannotTell] = [0, 0];
    for (const verdict of await Promise.all(verdicts)) {
      if (!verdict) throw failures[0];
      if ('untold' in verdict) {
        if (cannotTell++ === 0) call.note({ detail: verdict.untold.message }, 'warn');
      } else if (verdict.active) active++;
      results.push(resultMessage(verdict, includeClaims));
    }
    call.note({ tokens: accessTokens.length, active, cannotTell });
    return { results };
  };
