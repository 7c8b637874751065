// The redirections of a Redis Cluster: MOVED, ASK and TRYAGAIN. Pure.

/**
 * `moved`: another node owns the slot, or none does. `ask`: the slot is moving, and none of the keys is at this node
 * any more. `split`: it is moving, and only some of the keys are at this node. In each case the command was not run.
 */
export type Redirect = 'moved' | 'ask' | 'split';

/** The redirection of an error; undefined: it is another error. */
export function redirectOf(error: unknown): Redirect | undefined {
  if (!(error instanceof Error) || error.name !== 'ReplyError') return undefined;
  const [word] = error.message.split(' ');
  if (word === 'MOVED' || error.message.startsWith('CLUSTERDOWN Hash slot not served')) return 'moved';
  if (word === 'ASK') return 'ask';
  return word === 'TRYAGAIN' ? 'split' : undefined;
}
