// The rule by which an overloaded service queues or refuses calls when their heads arrive, before their messages.

import { OVERLOADED } from '../status.js';
import type { CallAdmission } from '../transport/method.js';
import type { Admission } from './admission.js';

const SESSION_ENDING: ReadonlySet<string> = new Set([
  '/auth.v1.AuthService/Logout',
  '/auth.v1.IssuerService/RevokeSubject',
]);

/** Whether a call of this method ends a session. Such calls are refused last. */
export const endsSession = (path: string): boolean => SESSION_ENDING.has(path);

/** For every service except health: an overloaded service is still alive. */
export const callAdmission = (admission: Admission): CallAdmission => ({
  open: (path) => admission.open(endsSession(path)),
  wait: (path, waiting) => admission.wait(endsSession(path), waiting),
  rejection: OVERLOADED,
});
