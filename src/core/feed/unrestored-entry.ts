// The log entry of an end that this process has acknowledged, that the store has lost, and that is not restored yet.

import type { AckRecord } from '../durability/ack-record.js';
import { parseNotBefore } from '../session/entries.js';
import type { Sha256 } from '../token/verified-jws.js';
import { endText } from './log-entry.js';
import type { WindowEntry } from './window.js';

const ID_BYTES = 16;

/** @param crypto hashes subjects */
export const unrestoredEntry =
  ({ sha256 }: Sha256) =>
  ({ shard, key, text, acknowledgedMs: atMs }: AckRecord): WindowEntry => {
    if (key.kind === 'session')
      return { shard, what: endText('session', key.sessionId.replaceAll('-', '')), notBeforeMs: 0, atMs };
    const digest = sha256(key.subject).subarray(0, ID_BYTES);
    const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
    return { shard, what: endText('not-before', hex), notBeforeMs: parseNotBefore(text)?.atMs ?? 0, atMs };
  };
