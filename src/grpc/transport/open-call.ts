// The opening of a call: its route, its deadline and its admission, or the response to a request that is no call.

import type { OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { status } from '@grpc/grpc-js';
import type { Call } from './call.js';
import type { CallHost, IncomingRequest } from './call-host.js';
import { failure, responseToBadHead, statusHead } from './head.js';
import type { Inflater } from './inflate.js';
import { Response } from './response.js';
import type { Route } from './routes.js';
import { MessageStreamCall } from './streaming-call.js';
import { UnaryCall } from './unary-call.js';

const NO_SUCH_METHOD = statusHead(failure(status.UNIMPLEMENTED, 'there is no such method here'));

/** What calls are made of. */
export interface CallResources {
  readonly routes: ReadonlyMap<string, Route>;
  readonly inflater: Inflater;
}

/** @param opened called with the call before it begins; not called if the request is refused */
export function openCall(
  host: CallHost<Call>,
  { routes, inflater }: CallResources,
  request: IncomingRequest,
  opened: (call: Call) => void,
): void {
  const { stream, headers } = request;
  const refused = responseToBadHead(headers);
  if (refused) return refuse(stream, refused);
  const route = routes.get(`${headers[':path']}`);
  if (!route) return refuse(stream, NO_SUCH_METHOD);
  const { admission, shape } = route;
  const isStream = shape.requestStream || shape.responseStream;
  const call = new (isStream ? MessageStreamCall : UnaryCall)(host, route, request, inflater);
  opened(call);
  if (!call.startDeadline()) return;
  if (!admission || admission.open(shape.path)) return call.begin();
  admission.wait(shape.path, { accept: () => call.begin(), refuse: () => call.refuse(route.rejectionHead) });
}

/** Answers with a head only, and reads no message. */
function refuse(stream: ServerHttp2Stream, head: OutgoingHttpHeaders): void {
  stream.on('error', () => {});
  new Response(stream).endWith(head);
}
