// The audit events of sessions. They name sessions and subjects, and never hold a token.

import type { EndCause } from '../session/entries.js';
import type { SessionId } from '../token/session-id.js';

/** What happened to a session or a subject. */
export type AuditEvent =
  | {
      readonly event:
        | 'session_started'
        /** A refresh created the next pair. */
        | 'session_refreshed'
        /** A retry received the pair that an earlier call created. */
        | 'session_replayed'
        /** A used refresh token arrived within the grace window, too old to replay. No session was ended. */
        | 'session_duplicate'
        /** A used refresh token arrived after the grace window: theft, or a client that keeps old tokens. */
        | 'session_reused'
        /** The token was ahead of the store, which had lost writes. The refresh wrote the newer generation. */
        | 'session_healed'
        /** The store lost the session's entry, so its tokens are denied. */
        | 'session_lost';
      readonly subject: string;
      readonly sessionId: SessionId;
      /** The generation of the presented token; for `session_started`, of the new pair. */
      readonly generation: number;
      /** The presented token was adopted from another issuer. */
      readonly adopted?: true;
    }
  | {
      readonly event: 'session_ended';
      readonly subject: string;
      readonly sessionId: SessionId;
      readonly cause: EndCause;
    }
  | { readonly event: 'subject_ended'; readonly subject: string };
