// The metrics of the service's parts: store, cache of verified tokens, ends of sessions, signing key, revocation feed.

import { ObservedStore, type ObserveOperation } from '../adapters/observed/observed-store.js';
import type { Setback } from '../core/durability/ledger.js';
import type { Revocation, Revocations } from '../core/events/revocations.js';
import type { Memory, RevocationLogs, Store } from '../core/ports.js';
import type { EndCause } from '../core/session/entries.js';
import type { FeedObserver } from '../grpc/feed/feed.js';
import type { Meter } from '../platform/metrics/meter.js';

/** Why a session ended; `all_sessions` counts the cut-off of a subject as one end, however many sessions it has. */
type Cause = EndCause | 'all_sessions';
/** The compiler keeps this list complete. */
const CAUSES: Readonly<Record<Cause, true>> = { logout: true, reuse: true, lost: true, all_sessions: true };

const causeOf = (end: Revocation): Cause => (end.kind === 'session' ? end.cause : 'all_sessions');

/**
 * @param waits whether the store waits for replicas at all
 * @returns a store that measures each operation of the given one
 */
export function measureStore(store: Store & RevocationLogs, meter: Meter, waits: boolean): Store & RevocationLogs {
  meter.gauge(
    {
      name: 'latchkey_store_reachable',
      help: 'Whether the store, or some of its shards, is reached: 1 or 0',
      merge: 'min',
    },
    () => (store.reachableSinceMs === undefined ? 0 : 1),
  );
  const durations = meter.histogramBy(
    { name: 'latchkey_store_operation_duration_seconds', help: 'Time from a request to the store to its answer' },
    { name: 'operation', values: ['read', 'write', 'wait'] },
  );
  let isReading = false;
  const measure: ObserveOperation = (operation) => {
    if (operation === 'read') {
      // The reads of one turn of the event loop are one command, so one of them is measured.
      if (isReading) return undefined;
      isReading = true;
      setImmediate(() => {
        isReading = false;
      });
    }
    const startMs = performance.now();
    return () => durations.of(operation).observe((performance.now() - startMs) / 1000);
  };
  return new ObservedStore(store, measure, waits);
}

/** @returns a cache that counts its hits and misses */
export function measureCache<Value>(cache: Memory<Value>, meter: Meter): Memory<Value> {
  const of = 'of look-ups in the cache of verified access tokens';
  const hits = meter.counter({ name: 'latchkey_verified_tokens_hits_total', help: `Hits ${of}` });
  const misses = meter.counter({ name: 'latchkey_verified_tokens_misses_total', help: `Misses ${of}` });
  return {
    get: (key) => {
      const found = cache.get(key);
      (found === undefined ? misses : hits).add();
      return found;
    },
    set: (key, value) => cache.set(key, value),
    delete: (key) => cache.delete(key),
  };
}

export function countEnds(revocations: Revocations, meter: Meter): void {
  const ended = meter.counterBy(
    { name: 'latchkey_sessions_ended_total', help: 'Ends of sessions that this process has written and acknowledged' },
    { name: 'cause', values: Object.keys(CAUSES) as Cause[] },
  );
  revocations.subscribe((end) => ended.of(causeOf(end)).add());
}

/** @returns call it with each report of lost writes */
export function countSetbacks(meter: Meter): (setback: Setback) => void {
  const setbacks = meter.counter({
    name: 'latchkey_store_setbacks_total',
    help: 'How often the store was found to have lost writes',
  });
  const restored = meter.counter({
    name: 'latchkey_acknowledgements_restored_total',
    help: 'Acknowledged entries that the store had lost, and that were restored',
  });
  return ({ again }) => {
    setbacks.add();
    restored.add(again);
  };
}

/** @param sinceMs the date of the key that signs now, Unix ms; undefined: it has none, as a secret has */
export function measureKeyAge(sinceMs: () => number | undefined, meter: Meter): void {
  meter.gauge(
    { name: 'latchkey_signing_key_age_seconds', help: 'Age of the file of the key that signs now', merge: 'max' },
    () => {
      const since = sinceMs();
      return since === undefined ? undefined : Math.max(0, Date.now() - since) / 1000;
    },
  );
}

/** @param watchers the streams of WatchRevocations now */
export function measureWatchers(watchers: () => number, meter: Meter): void {
  meter.gauge({ name: 'latchkey_watchers', help: 'Streams of WatchRevocations', merge: 'sum' }, watchers);
}

export function observeFeed(meter: Meter): FeedObserver {
  const rounds = meter.histogram({
    name: 'latchkey_feed_round_duration_seconds',
    help: 'Time to read the logs of ended sessions and to serve the streams',
  });
  const delays = meter.histogram({
    name: 'latchkey_revocation_delay_seconds',
    help: 'Time from the acknowledgement of an end by this process until its streams were served',
  });
  return {
    round: (durationMs) => rounds.observe(durationMs / 1000),
    delay: (durationMs) => delays.observe(durationMs / 1000),
  };
}
