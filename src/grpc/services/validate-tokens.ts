// The handler of ValidateTokens: many tokens in one call, in small steps that leave time for other calls.

import type { ValidateTokensRequest } from '../../../proto/gen/auth/v1/auth_service.js';
import type { Context } from '../../core/context.js';
import type { Call } from '../../core/ports.js';
import {
  type BatchResult,
  checkCount,
  type UnexpectedError,
  validateAmong,
} from '../../core/use-cases/validate-many.js';
import { TimeSlicer } from '../admission/time-slicer.js';
import type { ServiceCall } from '../call-context.js';
import { batchResult } from '../codec/validation-response.js';
import { CallCancelled } from '../status.js';
import type { CallObservers, Handler } from '../unary-handlers.js';

/** The call as one token of the batch sees it: the log line of a batch names no session. */
const callForOneToken = (call: ServiceCall): Call => ({
  get budgetMs() {
    return call.budgetMs;
  },
  setSessionId: () => {},
  audit: (event) => call.audit(event),
});

/** @returns the handler. Its response is a list of encoded results */
export function validateTokens(
  context: Context,
  { metrics, tracing }: CallObservers = {},
): Handler<ValidateTokensRequest, readonly Buffer[]> {
  const slicer = new TimeSlicer();

  /** Runs a step for each item, a few in each turn. @throws CallCancelled if the caller waits no longer */
  async function inSlices<Item>(call: ServiceCall, items: readonly Item[], step: (item: Item) => void): Promise<void> {
    if (!(await slicer.each(items, step, () => call.isWanted))) throw new CallCancelled();
  }

  return async ({ accessTokens, includeClaims }, call) => {
    checkCount(accessTokens.length);
    call.reserveTokens(accessTokens.length);
    const tokenCall = callForOneToken(call);
    const pending: Promise<BatchResult | UnexpectedError>[] = [];
    const begin = (text: string): void => void pending.push(validateAmong(context, tokenCall, text));
    // A command of the store serves many tokens, also of other batches.
    const step = tracing ? (text: string) => tracing.untraced(() => begin(text)) : begin;
    await inSlices(call, accessTokens, step);
    const verdicts: BatchResult[] = [];
    for (const verdict of await Promise.all(pending)) {
      if ('unexpected' in verdict) throw verdict.unexpected;
      verdicts.push(verdict);
    }
    const results: Buffer[] = [];
    let [active, cannotTell] = [0, 0];
    await inSlices(call, verdicts, (verdict) => {
      metrics?.validated(verdict);
      if ('unavailable' in verdict) {
        if (cannotTell++ === 0) call.addLogFields({ detail: verdict.unavailable.message }, 'warn');
      } else if (verdict.active) active++;
      // Encoded here, because encoding a thousand results at once would delay other calls.
      results.push(batchResult(verdict, includeClaims));
    });
    call.addLogFields({ tokens: accessTokens.length, active, cannotTell });
    return results;
  };
}
