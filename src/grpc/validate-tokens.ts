// Owns the batch: many tokens in one call, without holding up the calls beside it.

import type { ValidateTokensRequest, ValidateTokensResponse } from '../../proto/gen/auth/v1/auth_service.js';
import type { Context } from '../core/context.js';
import type { Call } from '../core/ports.js';
import { checkCount, type Fault, type Verdict, validateAmong } from '../core/validate-many.js';
import type { ServiceCall } from './call-frame.js';
import { encodeResult } from './encoding.js';
import { resultMessage } from './messages.js';
import { Slices } from './slices.js';
import { GivenUp } from './status.js';
import type { Handler } from './unary.js';

/** The line of the call is about no session in particular. */
const among = (call: ServiceCall): Call => ({
  get budgetMs() {
    return call.budgetMs;
  },
  concerns: () => {},
  audit: (event) => call.audit(event),
});

export function validateTokens(context: Context): Handler<ValidateTokensRequest, ValidateTokensResponse> {
  const slices = new Slices();

  /** Takes a step for each, a few in each turn. @throws GivenUp if nobody waits for the rest */
  async function inSlices<Item>(call: ServiceCall, items: readonly Item[], step: (item: Item) => void): Promise<void> {
    if (!(await slices.each(items, step, () => call.isWanted))) throw new GivenUp();
  }

  return async ({ accessTokens, includeClaims }, call) => {
    checkCount(accessTokens.length);
    call.reserveTokens(accessTokens.length);
    const one = among(call);
    const asked: Promise<Verdict | Fault>[] = [];
    await inSlices(call, accessTokens, (text) => asked.push(validateAmong(context, one, text)));
    const told: Verdict[] = [];
    for (const verdict of await Promise.all(asked)) {
      if ('fault' in verdict) throw verdict.fault;
      told.push(verdict);
    }
    const results: ValidateTokensResponse['results'] = [];
    let [active, cannotTell] = [0, 0];
    await inSlices(call, told, (verdict) => {
      if ('untold' in verdict) {
        if (cannotTell++ === 0) call.note({ detail: verdict.untold.message }, 'warn');
      } else if (verdict.active) active++;
      const result = resultMessage(verdict, includeClaims);
      // Known by its bytes from here on: to encode a thousand at once would hold up the others.
      encodeResult(result);
      results.push(result);
    });
    call.note({ tokens: accessTokens.length, active, cannotTell });
    return { results };
  };
}
