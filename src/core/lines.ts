// The ledger's lines: the latest acknowledged state of each entry. Rotations and denials are bounded separately.

import { Chain, type Line, type Link } from './chain.js';
import { ENDED, progressOf } from './entry-order.js';
import { MAX_DENIALS, MAX_ROTATIONS } from './policy.js';
import type { EntryKey } from './ports.js';

export const entryId = (key: EntryKey): string => (key.kind === 'session' ? `s ${key.sessionId}` : `u ${key.subject}`);

/**
 * Two lists, and a map into them. An entry has one line however often it is acknowledged: a repeated logout must not
 * push out other entries. A Map alone, in insertion order, would be slower: finding its oldest key walks over all
 * deleted ones, and every refresh would pay for that.
 *
 * Session ends and cut-offs have a list of their own, since refreshes are far more frequent than logouts.
 */
export class Lines {
  readonly #links = new Map<string, Link>();
  readonly #rotations = new Chain(MAX_ROTATIONS);
  readonly #denials = new Chain(MAX_DENIALS);
  readonly #isPast: (line: Line) => boolean;
  #added = 0;

  /** @param isPast whether a line is too old to keep */
  constructor(isPast: (line: Line) => boolean) {
    this.#isPast = isPast;
  }

  /** Adds an acknowledgement. Answers may arrive in another order than the store sent them: the latest state stays. */
  add(line: Line): void {
    const name = entryId(line.key);
    const before = this.#links.get(name);
    if (before) this.#chainOf(before).remove(before);
    const progress = progressOf(line.key, line.text);
    const link: Link = { name, line, progress, order: this.#added++, older: undefined, newer: undefined };
    if (before) keepFurthest(before, link);
    const chain = this.#chainOf(link);
    chain.append(link);
    this.#links.set(name, link);
    this.#forget(chain);
  }

  /** Whether this server has acknowledged this text of an entry. */
  holds(key: EntryKey, text: string, incarnation: string | undefined): boolean {
    const line = this.#links.get(entryId(key))?.line;
    return incarnation !== undefined && line?.text === text && line.incarnation === incarnation;
  }

  newestFirst(): Line[] {
    this.#forget(this.#rotations);
    this.#forget(this.#denials);
    const lines: Line[] = [];
    let [rotation, denial] = [this.#rotations.newest, this.#denials.newest];
    for (;;) {
      const next = rotation && (!denial || rotation.order > denial.order) ? rotation : denial;
      if (!next) return lines;
      lines.push(next.line);
      if (next === rotation) rotation = next.older;
      else denial = next.older;
    }
  }

  #chainOf({ line, progress }: Link): Chain {
    return line.key.kind === 'not-before' || progress === ENDED ? this.#denials : this.#rotations;
  }

  #forget(chain: Chain): void {
    for (let link = chain.oldest; link && (chain.isOverfull || this.#isPast(link.line)); link = chain.oldest) {
      this.#links.delete(link.name);
      chain.remove(link);
    }
  }
}

/**
 * Keeps the later state, the later acknowledgement and the longer lifetime: the store never shortens a lifetime either.
 */
function keepFurthest(before: Link, now: Link): void {
  const isOlder = now.progress < before.progress;
  // The usual case: every refresh comes here.
  if (!isOlder && now.line.keptUntilMs >= before.line.keptUntilMs) return;
  const keptUntilMs = Math.max(before.line.keptUntilMs, now.line.keptUntilMs);
  now.line = { ...(isOlder ? before : now).line, keptUntilMs, notedMs: now.line.notedMs };
  if (isOlder) now.progress = before.progress;
}
