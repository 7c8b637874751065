// The revocation feed of a service, put together from its parts.

import type { Births } from '../core/durability/births.js';
import type { Ledger } from '../core/durability/ledger.js';
import type { Revocations } from '../core/events/revocations.js';
import { FeedReader } from '../core/feed/feed-reader.js';
import { logWindowMs } from '../core/feed/limits.js';
import { unrestoredEntry } from '../core/feed/unrestored-entry.js';
import type { Policy } from '../core/policy.js';
import type { Keys, RevocationLogs, Store } from '../core/ports.js';
import type { Sha256 } from '../core/token/verified-jws.js';
import { Feed } from '../grpc/feed/feed.js';
import type { Logger } from '../platform/log.js';
import type { Meter } from '../platform/metrics/meter.js';
import { measureWatchers, observeFeed } from './metrics.js';

export interface ServiceParts {
  readonly store: Store & RevocationLogs;
  readonly births: Births;
  readonly ledger: Ledger;
  readonly revocations: Revocations;
  readonly keys: Keys;
  readonly policy: Policy;
  readonly crypto: Sha256;
  /** The most streams. */
  readonly maxWatchers: number;
}

export function makeFeed(parts: ServiceParts, log: Logger, meter?: Meter): Feed {
  const { store, births, ledger, revocations, keys, policy, crypto, maxWatchers } = parts;
  const windowMs = logWindowMs(policy.accessTtlMs);
  const reader = new FeedReader({ store, births, ledger, windowMs, entryOf: unrestoredEntry(crypto) });
  const observer = meter && observeFeed(meter);
  const feed = new Feed({ reader, keys, policy, shards: store.shards, maxWatchers, log, observer });
  revocations.subscribe(() => feed.ended());
  if (meter) measureWatchers(() => feed.watchers, meter);
  return feed;
}
