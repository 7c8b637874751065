// What a node of a Redis Cluster answers instead: that another node has the slot, or some of its keys. Pure.

/**
 * `moved`: another node owns the slot, or none does. `ask`: the slot is moving to another node, and none of the keys is here.
 * `split`: it is moving, and only some of the keys are here. Nothing was done in any case.
 */
export type Redirect = 'moved' | 'ask' | 'split';

/** undefined: an error is none of these. */
export function redirectOf(error: unknown): Redirect | undefined {
  if (!(error instanceof Error) || error.name !== 'ReplyError') return undefined;
  const [word] = error.message.split(' ');
  if (word === 'MOVED' || error.message.startsWith('CLUSTERDOWN Hash slot not served')) return 'moved';
  if (word === 'ASK') return 'ask';
  return word === 'TRYAGAIN' ? 'split' : undefined;
}
