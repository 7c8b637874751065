// The revocations that the feed has delivered: ended sessions, cut-off subjects, and doubts. Pure.

import type { Revocation } from '../../../proto/gen/auth/v1/auth_service.js';
import { type Dropped, RevokedIds } from './revoked-ids.js';

/** The most revocations that are held, at about 90 bytes each. Beyond it the oldest are dropped. */
export const MAX_REVOCATIONS = 200_000;

const ID_BYTES = 16;

/** @returns undefined if it is not an id */
const idIn = (bytes: Buffer): string | undefined => (bytes.length === ID_BYTES ? bytes.toString('latin1') : undefined);

export class Revocations {
  readonly #ended = new RevokedIds();
  readonly #cutOff = new RevokedIds();
  /** Sessions of these subjects that started at or before are denied, Unix ms. */
  readonly #notBeforeMs = new Map<string, number>();
  readonly #doubtfulSessions = new RevokedIds();
  readonly #doubtfulSubjects = new RevokedIds();
  readonly #all = [this.#ended, this.#cutOff, this.#doubtfulSessions, this.#doubtfulSubjects];
  readonly #most: number;

  constructor(most = MAX_REVOCATIONS) {
    this.#most = most;
  }

  get size(): number {
    return this.#all.reduce((sum, { size }) => sum + size, 0);
  }

  /** @param session see `revoked-ids.ts` */
  isEnded(session: string): boolean {
    return this.#ended.has(session);
  }

  /** The time of the subject's last cut-off, Unix ms; undefined: there was none. */
  notBeforeMs(subject: string): number | undefined {
    return this.#notBeforeMs.get(subject);
  }

  isDoubtful(session: string, subject: string): boolean {
    return this.#doubtfulSessions.has(session) || this.#doubtfulSubjects.has(subject);
  }

  /**
   * Takes in one. @returns whether it could be read: one that cannot be read may be the end of any token of its shard
   */
  take({ shard, atMs, sessionId, subject, doubtfulSessionId, doubtfulSubject }: Revocation): boolean {
    const bytes = sessionId ?? subject?.subject ?? doubtfulSessionId ?? doubtfulSubject;
    const id = bytes && idIn(bytes);
    if (id === undefined) return false;
    if (sessionId) {
      this.#ended.add(id, shard, atMs);
      // A doubt that came after an end counts longer: the store may have lost that end, and the session gone on.
      if (this.#doubtfulSessions.atMs(id) <= atMs) this.#doubtfulSessions.delete(id);
    } else if (subject) {
      this.#cutOff.add(id, shard, atMs);
      this.#notBeforeMs.set(id, Math.max(subject.notBeforeMs, this.#notBeforeMs.get(id) ?? 0));
    } else (doubtfulSessionId ? this.#doubtfulSessions : this.#doubtfulSubjects).add(id, shard, atMs);
    return true;
  }

  /**
   * Drops what was logged before a time, and the oldest beyond the bound.
   * @param beforeMs Unix ms
   * @param dropped called with each
   */
  drop(beforeMs: number, dropped: (each: Dropped) => void): void {
    for (const ids of this.#all) this.#dropFrom(ids, ({ atMs }) => atMs < beforeMs, dropped);
    while (this.size > this.#most) {
      const oldest = this.#all.reduce((first, each) => (each.firstMs < first.firstMs ? each : first));
      let left = 1;
      this.#dropFrom(oldest, () => left-- > 0, dropped);
    }
  }

  clear(): void {
    for (const ids of this.#all) ids.clear();
    this.#notBeforeMs.clear();
  }

  #dropFrom(ids: RevokedIds, isOver: (each: Dropped) => boolean, dropped: (each: Dropped) => void): void {
    ids.drop(isOver, (each, id) => {
      if (ids === this.#cutOff) this.#notBeforeMs.delete(id);
      dropped(each);
    });
  }
}
