// The handlers of IssuerService, and the check of their callers.

import type { StatusObject } from '@grpc/grpc-js';
import type { Context } from '../../core/context.js';
import { issue } from '../../core/use-cases/issue.js';
import { revokeSubject } from '../../core/use-cases/revoke-subject.js';
import type { ISSUER_SERVICE } from '../codec/encoding.js';
import { Unauthenticated } from '../status.js';
import { type IncomingCall, methodOf } from '../transport/method.js';
import type { ServiceHandlers, UnaryHandlers } from '../unary-handlers.js';
import type { Guard } from './issuer-guard.js';

const REASONS = {
  missing:
    'the issuer credential is missing: send the metadata "authorization: Bearer <ISSUER_TOKEN>", or show a client ' +
    'certificate that ISSUER_CLIENT_NAMES names',
  wrong:
    'the issuer credential is wrong: the metadata "authorization" is not "Bearer " with the ISSUER_TOKEN of this ' +
    'service, in printable ASCII (without any other character, such as a non-breaking space), and no client certificate is shown that ISSUER_CLIENT_NAMES names',
} as const;

/** Checks the caller when the head of a call has arrived, before its message is read. */
export const checkIssuerCaller =
  (unary: UnaryHandlers, guard: Guard) =>
  (call: IncomingCall): StatusObject | undefined => {
    const reason = guard(call);
    return reason && unary.refuse(methodOf(call.path), call, new Unauthenticated(REASONS[reason]));
  };

export function issuerService(context: Context, unary: UnaryHandlers): ServiceHandlers<typeof ISSUER_SERVICE> {
  return {
    issueToken: unary.wrap('IssueToken', async ({ claims = {}, ...login }, call) => ({
      tokens: await issue(context, call, { ...login, claims }),
    })),

    revokeSubject: unary.wrap('RevokeSubject', async ({ subject }, call) => {
      await revokeSubject(context, call, subject);
      return {};
    }),
  };
}
