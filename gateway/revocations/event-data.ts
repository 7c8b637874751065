// The data of the events: the messages of WatchRevocations as JSON.

import type { Revocation, WatchRevocationsResponse } from '../../proto/gen/auth/v1/auth_service.js';

interface Event {
  readonly name: 'settings' | 'keys' | 'revocations' | 'caught-up';
  readonly data: object;
}

/** The events of a message, in the order in which a client takes them in. */
export function eventsOf({ settings, keys, shards, revocations, caughtUp }: WatchRevocationsResponse): Event[] {
  const hasEnds = shards.length > 0 || revocations.length > 0;
  return [
    ...(settings ? [{ name: 'settings', data: settings } as const] : []),
    ...(keys ? [{ name: 'keys', data: keys } as const] : []),
    ...(hasEnds
      ? [{ name: 'revocations', data: { shards, revocations: revocations.map(revocationData) } } as const]
      : []),
    ...(caughtUp ? [{ name: 'caught-up', data: {} } as const] : []),
  ];
}

const hex = (id: Buffer): string => id.toString('hex');

/** The UUID in its usual form, as in the claim `sid`. */
const uuid = (id: Buffer): string => hex(id).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');

function revocationData({ shard, atMs, sessionId, subject, doubtfulSessionId, doubtfulSubject }: Revocation): object {
  if (sessionId) return { shard, atMs, sessionId: uuid(sessionId) };
  if (subject) return { shard, atMs, subject: hex(subject.subject), notBeforeMs: subject.notBeforeMs };
  if (doubtfulSessionId) return { shard, atMs, doubtfulSessionId: uuid(doubtfulSessionId) };
  return { shard, atMs, doubtfulSubject: doubtfulSubject ? hex(doubtfulSubject) : '' };
}

/** The shards in the bits of a pong. */
export const uncoveredShards = (bits: Buffer): number[] =>
  [...bits].flatMap((byte, index) =>
    [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => (byte >> bit) & 1).map((bit) => 8 * index + bit),
  );
