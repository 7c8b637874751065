// Whether the store is reachable: the state of all groups of shards, its log lines, and its listeners.

import type { Log } from '../server-check.js';
import { logOfServer } from './server-log.js';
import type { ShardGroup } from './shard-group.js';

export class Reachability {
  readonly #groups: readonly ShardGroup[];
  readonly #log: Log;
  readonly #listeners = new Set<(reachable: boolean) => void>();

  constructor(groups: readonly ShardGroup[], log: Log) {
    this.#groups = groups;
    this.#log = log;
  }

  /** The time since which some group is reachable without a break, its owner's time, Unix ms; undefined: none is. */
  get sinceMs(): number | undefined {
    const since = this.#groups.map((group) => group.reachableSinceMs).filter((ms) => ms !== undefined);
    return since.length === 0 ? undefined : Math.min(...since);
  }

  /** Whether every group is reachable. */
  get isComplete(): boolean {
    return this.#groups.every(({ reachableSinceMs }) => reachableSinceMs !== undefined);
  }

  /** See `Store`. */
  watch(listener: (reachable: boolean) => void): () => void {
    // Wrapped, so that a function that is added twice is removed once.
    const entry = (reachable: boolean) => listener(reachable);
    this.#listeners.add(entry);
    return () => this.#listeners.delete(entry);
  }

  /**
   * Updates all groups, and logs what has changed, one line for each server.
   * @param whyNoOwner updates the owner of a group. Returns why it has none; undefined: it has one
   * @returns whether the listeners must be notified
   */
  update(whyNoOwner: (group: ShardGroup, index: number) => string | undefined): boolean {
    const wasReachable = this.sinceMs !== undefined;
    const lines = new Map<string, () => void>();
    let isNew = false;
    for (const [index, group] of this.#groups.entries()) {
      const { why, reachableSinceMs: sinceMs } = group;
      group.update(whyNoOwner(group, index));
      const { why: detail, reachableSinceMs } = group;
      isNew ||= reachableSinceMs !== undefined && reachableSinceMs !== sinceMs;
      if (detail === why) continue;
      const label = group.servers[0]?.address.label;
      const log = logOfServer(this.#log, label);
      lines.set(`${label} ${detail}`, () =>
        detail === '' ? log.info({}, 'Redis is reachable') : log.warn({ detail }, 'Redis is not reachable'),
      );
    }
    for (const write of lines.values()) write();
    return isNew || (wasReachable && this.sinceMs === undefined);
  }

  /** Calls the listeners. */
  notify(): void {
    const isReachable = this.sinceMs !== undefined;
    for (const listener of [...this.#listeners]) listener(isReachable);
  }
}
