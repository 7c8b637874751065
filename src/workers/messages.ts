// Owns what primary and workers say to each other, over the channel that is theirs alone.

import type { Address, Variables } from '../env.js';

/** To a worker: what it needs and does not inherit; or that it should end in order. */
export type ToWorker = { readonly kind: 'secrets'; readonly secrets: Variables } | { readonly kind: 'stop' };

/** To the primary. */
export type ToPrimary =
  /** It hears. Before this, what is said to it is lost. */
  | { readonly kind: 'hello' }
  /** It takes connections. */
  | { readonly kind: 'listening'; readonly addresses: readonly Address[] }
  /** It has reached its store, too. */
  | { readonly kind: 'serving' }
  /** It cannot start, and ends; in words for whoever started the service. */
  | { readonly kind: 'failed'; readonly why: string };
