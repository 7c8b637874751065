// The identity in a verified access token: its subject, its session and its end.

import type { Identity } from '../../bearer/identity-headers.js';
import type { Verified } from '../../core/session/verified-token.js';

/** simplejwt gives its two tokens different ids, so an adopted access token's id does not lead to its session. */
export const identityOf = ({ token, endsAt }: Verified): Identity => ({
  subject: token.subject,
  sessionId: token.adopted ? '' : token.sessionId,
  expiresAt: endsAt,
});
