// IssuerService: who may call it, and each RPC's way from message to use case and back.

import type { StatusObject } from '@grpc/grpc-js';
import type { Context } from '../core/context.js';
import { revokeSubject } from '../core/end-subject.js';
import { issue } from '../core/issue.js';
import type { ISSUER_SERVICE } from './encoding.js';
import type { Guard } from './issuer-guard.js';
import { CallRefused } from './status.js';
import type { IncomingCall } from './transport/method.js';
import type { Unary, UnaryHandlers } from './unary.js';

const REFUSALS = {
  missing:
    'the issuer credential is missing: send the metadata "authorization: Bearer <ISSUER_TOKEN>", or show a client ' +
    'certificate that ISSUER_CLIENT_NAMES names',
  wrong:
    'the issuer credential is wrong: the metadata "authorization" is not "Bearer " with the ISSUER_TOKEN of this ' +
    'service, in printable ASCII (without any other character, such as a non-breaking space), and no client certificate is shown that ISSUER_CLIENT_NAMES names',
} as const;

/** Looks at the credential when the head of a call has come, before its message is read. */
export const issuerRefusal =
  (unary: Unary, guard: Guard) =>
  (call: IncomingCall): StatusObject | undefined => {
    const refused = guard(call);
    const method = call.path.slice(call.path.lastIndexOf('/') + 1);
    return refused && unary.refuse(method, call, new CallRefused(REFUSALS[refused]));
  };

export function issuerService(context: Context, unary: Unary): UnaryHandlers<typeof ISSUER_SERVICE> {
  return {
    issueToken: unary.handle('IssueToken', async ({ subject, claims }, call) => ({
      tokens: await issue(context, call, subject, claims ?? {}),
    })),

    revokeSubject: unary.handle('RevokeSubject', async ({ subject }, call) => {
      await revokeSubject(context, call, subject);
      return {};
    }),
  };
}
