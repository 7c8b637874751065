// Owns IssuerService: who may call it, and each RPC's way from message to use case and back.

import { createHash, timingSafeEqual } from 'node:crypto';
import type { Metadata } from '@grpc/grpc-js';
import type { IssuerServiceServer } from '../../proto/gen/auth/v1/issuer_service.js';
import type { Context } from '../core/context.js';
import { revokeSubject } from '../core/end-subject.js';
import { issue } from '../core/issue.js';
import type { Secret } from '../env.js';
import { CallRefused } from './status.js';
import type { Handler, Unary } from './unary.js';

export function issuerService(context: Context, unary: Unary, credential: Secret): IssuerServiceServer {
  const wanted = digest(credential.reveal());
  const guarded =
    <Request, Response>(handler: Handler<Request, Response>): Handler<Request, Response> =>
    async (request, call) => {
      if (!isGranted(call.metadata, wanted)) {
        throw new CallRefused('send the metadata "authorization: Bearer <ISSUER_TOKEN>"');
      }
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

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Compared by digest: in constant time whatever the lengths. */
function isGranted(metadata: Metadata, wanted: Buffer): boolean {
  const [given] = metadata.get('authorization');
  // Schemes are the same in any case (RFC 9110, section 11.1).
  const [, token = ''] = typeof given === 'string' ? (/^bearer (.*)$/i.exec(given) ?? []) : [];
  return timingSafeEqual(digest(token), wanted);
}
