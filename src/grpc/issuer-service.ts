// Owns IssuerService: who may call it, and each RPC's way from message to use case and back.

import type { IssuerServiceServer } from '../../proto/gen/auth/v1/issuer_service.js';
import type { Context } from '../core/context.js';
import { revokeSubject } from '../core/end-subject.js';
import { issue } from '../core/issue.js';
import type { Guard } from './issuer-guard.js';
import { CallRefused } from './status.js';
import type { Handler, Unary } from './unary.js';

/** gRPC's library leaves out a header with a character that is not allowed: here it is as if none was sent. */
const HOW_TO_CALL =
  'send the metadata "authorization: Bearer <ISSUER_TOKEN>", in printable ASCII (with any other character, such as a ' +
  'non-breaking space, it counts as missing), or show a client certificate that ISSUER_CLIENT_NAMES names';

export function issuerService(context: Context, unary: Unary, isGranted: Guard): IssuerServiceServer {
  const guarded =
    <Request, Response>(handler: Handler<Request, Response>): Handler<Request, Response> =>
    async (request, call) => {
      if (!isGranted(call)) throw new CallRefused(HOW_TO_CALL);
      return handler(request, call);
    };

  return {
    issueToken: unary.handle(
      'IssueToken',
      guarded(async ({ subject, claims }, call) => ({ tokens: await issue(context, call, subject, claims ?? {}) })),
    ),

    revokeSubject: unary.handle(
      'RevokeSubject',
      guarded(async ({ subject }, call) => {
        await revokeSubject(context, call, subject);
        return {};
      }),
    ),
  };
}
