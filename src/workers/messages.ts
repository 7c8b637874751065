// The messages between the primary and its workers, over Node's IPC channel.

import type { Address, Variables } from '../platform/env.js';
import type { MetricSnapshot } from '../platform/metrics/recorders.js';

/** To a worker: the secrets, which it does not inherit; a request to stop gracefully; a request for its metrics. */
export type ToWorker =
  | { readonly kind: 'secrets'; readonly secrets: Variables }
  | { readonly kind: 'stop' }
  | { readonly kind: 'metrics' };

/** To the primary. */
export type ToPrimary =
  /** The worker receives messages. Messages before this are lost. */
  | { readonly kind: 'hello' }
  /** The worker listens. */
  | { readonly kind: 'listening'; readonly addresses: readonly Address[] }
  /** The worker has also reached its store. */
  | { readonly kind: 'serving' }
  /** Whether the worker reaches its store now. */
  | { readonly kind: 'store'; readonly isReachable: boolean }
  /** What the worker has recorded by now: at request, and once more before it exits. */
  | { readonly kind: 'metrics'; readonly metrics: readonly MetricSnapshot[] }
  /** The worker cannot start, and exits. `why` is a text for the operator. */
  | { readonly kind: 'failed'; readonly why: string };
