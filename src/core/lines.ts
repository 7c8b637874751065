// The lines of the ledger: of each entry the furthest state that was acknowledged. Rotations and denials have a bound each.

import { Chain, type Line, type Link } from './chain.js';
import { ENDED, progressOf } from './further.js';
import { MAX_DENIALS, MAX_ROTATIONS } from './policy.js';
import type { EntryKey } from './ports.js';

export const nameOf = (key: EntryKey): string => (key.kind === 'session' ? `s ${key.sessionId}` : `u ${key.subject}`);

/**
 * Chains, and a map into them. An entry has one line however often it is acknowledged: a repeated logout must not push
 * out those of others. A map alone would do, whose order is that of insertion, but to find its oldest it walks over all
 * that were taken out before, and every refresh would pay for that.
 *
 * The ends of sessions and the cut-offs of subjects have a chain of their own: there are many refreshes for one logout.
 */
export class Lines {
  readonly #links = new Map<string, Link>();
  readonly #rotations = new Chain(MAX_ROTATIONS);
  readonly #denials = new Chain(MAX_DENIALS);
  readonly #isPast: (line: Line) => boolean;
  #added = 0;

  /** @param isPast whether a line is too old to be kept */
  constructor(isPast: (line: Line) => boolean) {
    this.#isPast = isPast;
  }

  /** Answers of two calls may be taken in in another order than the store gave them: the furthest state stays. */
  add(line: Line): void {
    const name = nameOf(line.key);
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

  /** Whether this text of an entry was acknowledged for this server. */
  holds(key: EntryKey, text: string, incarnation: string | undefined): boolean {
    const line = this.#links.get(nameOf(key))?.line;
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

/** Of two lines of one entry the further one stays, as the later one of both: the store never shortens a lifetime either. */
function keepFurthest(before: Link, now: Link): void {
  const isOlder = now.progress < before.progress;
  // The usual case, on the way of every refresh.
  if (!isOlder && now.line.keptUntilMs >= before.line.keptUntilMs) return;
  const keptUntilMs = Math.max(before.line.keptUntilMs, now.line.keptUntilMs);
  now.line = { ...(isOlder ? before : now).line, keptUntilMs, notedMs: now.line.notedMs };
  if (isOlder) now.progress = before.progress;
}
