// What a node of a Redis Cluster answers instead: that another node has the slot, or some of its keys. Pure.

import type { Place } from '../url.js';

/**
 * `moved`: another node owns the slot. `ask`: the slot is moving to another node, and none of the keys is here.
 * `split`: it is moving, and only some of the keys are here. Nothing was done in any case.
 */
export type Redirect =
  | { readonly is: 'moved' }
  | { readonly is: 'ask'; readonly place: Place }
  | { readonly is: 'split' };

/** undefined: an error is none of these. */
export function redirectOf(error: unknown): Redirect | undefined {
  if (!(error instanceof Error) || error.name !== 'ReplyError') return undefined;
  const [word, , address = ''] = error.message.split(' ');
  if (word === 'MOVED') return { is: 'moved' };
  if (word === 'TRYAGAIN') return { is: 'split' };
  if (word !== 'ASK') return undefined;
  const colon = address.lastIndexOf(':');
  return { is: 'ask', place: { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) } };
}
