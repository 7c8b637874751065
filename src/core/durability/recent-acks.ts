// Recent acknowledgements: the latest acknowledged state of each entry. Rotations and denials are bounded separately.

import { type Linked, LinkedList } from '../../collections/linked-list.js';
import type { EntryKey } from '../session/store-keys.js';
import type { AckRecord } from './ack-record.js';
import { ENDED, progressOf } from './entry-order.js';
import { MAX_DENIALS, MAX_ROTATIONS } from './limits.js';

export const entryId = (key: EntryKey): string => (key.kind === 'session' ? `s ${key.sessionId}` : `u ${key.subject}`);

/** A record in its list. */
interface AckNode extends Linked<AckNode> {
  readonly name: string;
  record: AckRecord;
  /** The progress of the entry; see `entry-order.ts`. */
  progress: number;
  /** Increases over all lists. */
  readonly order: number;
}

/**
 * Two lists, and a map into them. An entry has one record however often it is acknowledged: a repeated logout must not
 * push out other entries.
 *
 * Session ends and cut-offs have a list of their own, since refreshes are far more frequent than logouts.
 */
export class RecentAcks {
  readonly #nodes = new Map<string, AckNode>();
  readonly #rotations = new LinkedList<AckNode>();
  readonly #denials = new LinkedList<AckNode>();
  readonly #isPast: (record: AckRecord) => boolean;
  #added = 0;

  /** @param isPast whether a record is too old to keep */
  constructor(isPast: (record: AckRecord) => boolean) {
    this.#isPast = isPast;
  }

  /** Adds an acknowledgement. Answers may arrive in another order than the store sent them: the latest state stays. */
  add(record: AckRecord): void {
    const name = entryId(record.key);
    const before = this.#nodes.get(name);
    if (before) this.#listOf(before).remove(before);
    const progress = progressOf(record.key, record.text);
    const node: AckNode = { name, record, progress, order: this.#added++, older: undefined, newer: undefined };
    if (before) keepLatest(before, node);
    const list = this.#listOf(node);
    list.append(node);
    this.#nodes.set(name, node);
    this.#forget(list);
  }

  /** Whether this server has acknowledged this text of an entry. */
  holds(key: EntryKey, text: string, incarnation: string | undefined): boolean {
    const record = this.#nodes.get(entryId(key))?.record;
    return incarnation !== undefined && record?.text === text && record.incarnation === incarnation;
  }

  newestFirst(): AckRecord[] {
    this.#forget(this.#rotations);
    this.#forget(this.#denials);
    const records: AckRecord[] = [];
    let [rotation, denial] = [this.#rotations.newest, this.#denials.newest];
    for (;;) {
      const next = rotation && (!denial || rotation.order > denial.order) ? rotation : denial;
      if (!next) return records;
      records.push(next.record);
      if (next === rotation) rotation = next.older;
      else denial = next.older;
    }
  }

  #listOf({ record, progress }: AckNode): LinkedList<AckNode> {
    return record.key.kind === 'not-before' || progress === ENDED ? this.#denials : this.#rotations;
  }

  #forget(list: LinkedList<AckNode>): void {
    const most = list === this.#denials ? MAX_DENIALS : MAX_ROTATIONS;
    for (let node = list.oldest; node && (list.size > most || this.#isPast(node.record)); node = list.oldest) {
      this.#nodes.delete(node.name);
      list.remove(node);
    }
  }
}

/**
 * Keeps the later state, the later acknowledgement and the longer lifetime: the store never shortens a lifetime either.
 */
function keepLatest(before: AckNode, now: AckNode): void {
  const isOlder = now.progress < before.progress;
  // The usual case: every refresh comes here.
  if (!isOlder && now.record.keptUntilMs >= before.record.keptUntilMs) return;
  const keptUntilMs = Math.max(before.record.keptUntilMs, now.record.keptUntilMs);
  now.record = { ...(isOlder ? before : now).record, keptUntilMs, acknowledgedMs: now.record.acknowledgedMs };
  if (isOlder) now.progress = before.progress;
}
