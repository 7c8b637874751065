// The lines of the ledger: of each entry the furthest state that was acknowledged. Rotations and denials have a bound each.

import { Chain, type Link } from './chain.js';
import { ENDED, progressOf } from './further.js';
import { MAX_DENIALS, MAX_ROTATIONS } from './policy.js';
import type { EntryKey } from './ports.js';

/** What was acknowledged. */
export interface Line {
  readonly shard: number;
  readonly key: EntryKey;
  readonly text: string;
  readonly keptUntilMs: number;
  /** When it was acknowledged last, the store's time, Unix ms. */
  readonly notedMs: number;
  /** The server that it was acknowledged for. */
  readonly incarnation: string | undefined;
}

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
    const link = { name, line, progress, order: this.#added++, older: undefined, newer: undefined };
    this.#append(before ? combined(before, link) : link);
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

  #append(link: Link): void {
    const chain = this.#chainOf(link);
    chain.append(link);
    this.#links.set(link.name, link);
    this.#forget(chain);
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

/** The further of two links of one entry, as the later one of both: the store never shortens a lifetime either. */
function combined(before: Link, now: Link): Link {
  const { line, progress } = before.progress > now.progress ? before : now;
  const keptUntilMs = Math.max(before.line.keptUntilMs, now.line.keptUntilMs);
  return { ...now, progress, line: { ...line, keptUntilMs, notedMs: now.line.notedMs } };
}
