// Which calls an overloaded service lets wait, or refuses, as their heads come, before their messages are read.

import type { Admission } from './admission.js';
import { OVERLOADED } from './status.js';
import type { CallAdmission } from './transport/method.js';

/** The calls that end a session. */
const ENDING: ReadonlySet<string> = new Set(['/auth.v1.AuthService/Logout', '/auth.v1.IssuerService/RevokeSubject']);

/** Whether a call of this method ends a session, and is refused last. */
export const endsSession = (path: string): boolean => ENDING.has(path);

/** For all services but health: a busy service is a live one. */
export const shedding = (admission: Admission): CallAdmission => ({
  open: (path) => admission.open(endsSession(path)),
  wait: (path, waiting) => admission.wait(endsSession(path), waiting),
  refusal: OVERLOADED,
});
