// Owns the events of a session's life that an auditor wants to see. They name sessions and subjects, never a token.

import type { EndCause } from './entries.js';
import type { SessionId } from './session.js';

/** What happened to a session or a subject. */
export type AuditEvent =
  | {
      readonly event:
        | 'session_started'
        /** The next pair was made. */
        | 'session_refreshed'
        /** A retry got the pair that an earlier call had made. */
        | 'session_replayed'
        /** A used refresh token came within the grace window, too old to replay; nothing was ended. */
        | 'session_duplicate'
        /** A used refresh token came after the grace window: theft, or a client that keeps old tokens. */
        | 'session_reused'
        /** The token was ahead of the store, which has lost writes; the store was brought up to the token. */
        | 'session_healed'
        /** The store has lost the session; its tokens are denied. */
        | 'session_lost';
      readonly subject: string;
      readonly sessionId: SessionId;
      /** The generation of the token that came, or, of a new session, of the pair that was made. */
      readonly generation: number;
      /** Another issuer's token was taken over. */
      readonly adopted?: true;
    }
  | {
      readonly event: 'session_ended';
      readonly subject: string;
      readonly sessionId: SessionId;
      readonly cause: EndCause;
    }
  | { readonly event: 'subject_ended'; readonly subject: string };
