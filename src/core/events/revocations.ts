// The emitter of ended sessions: it emits each end once, after its acknowledgement.

import { type Linked, LinkedList } from '../../collections/linked-list.js';
import type { EndCause } from '../session/entries.js';
import type { EntryKey } from '../session/store-keys.js';
import type { SessionId } from '../token/session-id.js';

/** The end of a session, or the cut-off that ends all sessions of a subject that have started by now. */
export type Revocation =
  | { readonly kind: 'session'; readonly subject: string; readonly sessionId: SessionId; readonly cause: EndCause }
  | { readonly kind: 'not-before'; readonly subject: string };

/**
 * The most ends that are written, or perhaps written, and not acknowledged. When there are more, during an outage, the
 * oldest are forgotten, and are not emitted.
 */
export const MAX_UNACKNOWLEDGED = 10_000;

/** An end that was not acknowledged. */
interface Unacknowledged extends Linked<Unacknowledged> {
  readonly id: string;
  /** The entry; undefined: its write got no answer. */
  readonly text: string | undefined;
}

/**
 * Emits each end that this process has written, once, after its acknowledgement. An end whose acknowledgement failed,
 * or whose write got no answer, is emitted by the call that confirms the entry later. If no such call comes, nothing
 * emits it. If a write got no answer and another process ended the session meanwhile, both may emit it.
 */
export class Revocations {
  readonly #listeners = new Set<(revocation: Revocation) => void>();
  readonly #unacknowledged = new Map<string, Unacknowledged>();
  readonly #order = new LinkedList<Unacknowledged>();
  readonly #report: (error: unknown) => void;

  /** @param report receives what a listener throws: the end stays acknowledged */
  constructor(report: (error: unknown) => void) {
    this.#report = report;
  }

  /** Calls back with each end. Returns a function that stops this. */
  subscribe(listener: (revocation: Revocation) => void): () => void {
    // Wrapped, so that a function that is added twice is removed once.
    const entry = (revocation: Revocation): void => listener(revocation);
    this.#listeners.add(entry);
    return () => this.#listeners.delete(entry);
  }

  /** Call after the write of an end, and its acknowledgement. */
  acknowledged(revocation: Revocation): void {
    this.#drop(this.#unacknowledged.get(idOf(revocation)));
    for (const listener of [...this.#listeners]) {
      try {
        listener(revocation);
      } catch (error) {
        this.#report(error);
      }
    }
  }

  /** Call if the acknowledgement of an end failed. @param text the entry; undefined: its write got no answer */
  notAcknowledged(key: EntryKey, text: string | undefined): void {
    const id = idOf(key);
    // Added anew, so that it becomes the newest.
    this.#drop(this.#unacknowledged.get(id));
    if (this.#order.size >= MAX_UNACKNOWLEDGED) this.#drop(this.#order.oldest);
    const end: Unacknowledged = { id, text, older: undefined, newer: undefined };
    this.#unacknowledged.set(id, end);
    this.#order.append(end);
  }

  /** Whether some end was not acknowledged. */
  get hasUnacknowledged(): boolean {
    return this.#unacknowledged.size > 0;
  }

  /**
   * Call after the acknowledgement of an end that was read.
   * @param isNew whether this process had not acknowledged it before
   */
  confirmed(revocation: Revocation, isNew: boolean): void {
    const end = this.#unacknowledged.get(idOf(revocation));
    if (!end) return;
    // A write without an answer may have failed: then an end that was acknowledged before was emitted before, too.
    if (end.text !== undefined || isNew) this.acknowledged(revocation);
  }

  #drop(end: Unacknowledged | undefined): void {
    if (!end) return;
    this.#unacknowledged.delete(end.id);
    this.#order.remove(end);
  }
}

const idOf = (key: EntryKey | Revocation): string =>
  key.kind === 'session' ? `s ${key.sessionId}` : `u ${key.subject}`;
