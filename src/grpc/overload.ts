// The interceptor that refuses calls before their message is read.

import { ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js';
import type { Admission } from './admission.js';
import { OVERLOADED } from './status.js';

/** The services whose calls are refused. Health and reflection are always answered: a busy service is a live one. */
const SHED = /^\/auth\./;
/** The calls that end a session. */
const ENDING: ReadonlySet<string> = new Set(['/auth.v1.AuthService/Logout', '/auth.v1.IssuerService/RevokeSubject']);

/** Whether a call of this method ends a session, and is refused last. */
export const endsSession = (path: string): boolean => ENDING.has(path);

/** Refuses a call as it is opened, if one more cannot begin. */
export const refuseOverload =
  (admission: Admission): ServerInterceptor =>
  ({ path }, call) => {
    // An admitted call passes unwrapped: a wrapper costs every call some time. The library needs no more than the
    // interface, though its type names the wrapper.
    if (!SHED.test(path) || admission.mayOpen(endsSession(path))) return call as ServerInterceptingCall;
    // The call is not started: its message is discarded unread.
    return new ServerInterceptingCall(call, { start: () => call.sendStatus(OVERLOADED) });
  };
