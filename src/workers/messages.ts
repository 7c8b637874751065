// The messages between the primary and its workers, over Node's IPC channel.

import type { Address, Variables } from '../platform/env.js';

/** To a worker: the secrets, which it does not inherit, or a request to stop gracefully. */
export type ToWorker = { readonly kind: 'secrets'; readonly secrets: Variables } | { readonly kind: 'stop' };

/** To the primary. */
export type ToPrimary =
  /** The worker receives messages. Messages before this are lost. */
  | { readonly kind: 'hello' }
  /** The worker listens. */
  | { readonly kind: 'listening'; readonly addresses: readonly Address[] }
  /** The worker has also reached its store. */
  | { readonly kind: 'serving' }
  /** The worker cannot start, and exits. `why` is a text for the operator. */
  | { readonly kind: 'failed'; readonly why: string };
