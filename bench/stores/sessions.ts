// The sessions that the bench makes without logins: as if they had begun an hour ago.

import { randomFillSync } from 'node:crypto';
import { birthValue, liveValue } from '../../src/core/session/entries.js';
import { SLACK_MS } from '../../src/core/session/rules.js';
import { makeSessionId, type SessionId } from '../../src/core/token/session-id.js';

export const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;
const REFRESH_MS = 7 * DAY_MS;
const ENTROPY_BYTES = 10;
/** The number of milliseconds in which sessions begin: a thousand in each at ten million. */
const SPREAD_MS = 10_000;
/** All subjects have the same length, so that all answers have. */
const SUBJECT_DIGITS = 10;

/** When the store began, and its sessions. */
export interface Epoch {
  readonly bornMs: number;
  /** When the current pairs were answered, and the sessions began a little before. */
  readonly refreshedMs: number;
  readonly accessTtlMs: number;
}

export const epochOf = (nowMs: number): Epoch => ({
  bornMs: nowMs - 2 * HOUR_MS,
  refreshedMs: nowMs - HOUR_MS,
  accessTtlMs: 12 * HOUR_MS,
});

export interface Session {
  readonly subject: string;
  readonly sessionId: SessionId;
  readonly generation: number;
  /** Unix seconds, as are the two ends. */
  readonly issuedAt: number;
  readonly accessExpiresAt: number;
  readonly refreshExpiresAt: number;
}

const entropy = new Uint8Array(1_000 * ENTROPY_BYTES);
let used = entropy.length;

function freshEntropy(): Uint8Array {
  if (used === entropy.length) {
    randomFillSync(entropy);
    used = 0;
  }
  used += ENTROPY_BYTES;
  return entropy.subarray(used - ENTROPY_BYTES, used);
}

/** @param generation 0: it has no entry, for it was never refreshed */
export function makeSession(index: number, generation: number, { refreshedMs, accessTtlMs }: Epoch): Session {
  const issuedAt = Math.floor(refreshedMs / 1000);
  return {
    subject: `user-${`${index}`.padStart(SUBJECT_DIGITS, '0')}`,
    sessionId: makeSessionId(refreshedMs - SPREAD_MS + (index % SPREAD_MS), freshEntropy()),
    generation,
    issuedAt,
    accessExpiresAt: issuedAt + accessTtlMs / 1000,
    refreshExpiresAt: issuedAt + REFRESH_MS / 1000,
  };
}

/** The entry of a session as a refresh would have left it. */
export const entryOf = (session: Session, kid: string): string =>
  `1 ${session.issuedAt * 1000} ${liveValue({ ...session, kid })}`;

/** Until when it is kept, Unix ms. */
export const keptUntilMs = ({ refreshExpiresAt }: Session): number => refreshExpiresAt * 1000 + SLACK_MS;

/** The zero before the count says that each end is in the log. */
export const birthOf = ({ bornMs }: Epoch, writes: number): string => `1 ${bornMs} ${birthValue(undefined)}${writes}`;

export interface Filling {
  readonly sessions: number;
  readonly epoch: Epoch;
  readonly kid: string;
  /** A number of them, evenly taken from all. */
  readonly sample: number;
}

/** Makes sessions with entries one after the other. @returns the sample */
export async function fill(
  { sessions, epoch, sample }: Filling,
  write: (session: Session) => Promise<void> | undefined,
): Promise<Session[]> {
  const taken: Session[] = [];
  const every = Math.max(1, Math.floor(sessions / sample));
  for (let index = 0; index < sessions; index++) {
    const session = makeSession(index, 1 + (index % 20), epoch);
    if (index % every === 0 && taken.length < sample) taken.push(session);
    await write(session);
  }
  return taken;
}
