// What a processor profile says of a service: which share of its work is whose.

/** As much of V8's `.cpuprofile` as is read. */
export interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
    readonly children?: readonly number[];
  }[];
  /** The node that was met each time, and the µs since the time before. */
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Whose work is whose, by the functions on the stack: the first that fits counts. */
export const OWNERS: readonly (readonly [owner: string, frame: RegExp])[] = [
  ['the garbage collector', /^\(garbage collector\)/],
  ['the engine itself', /^\(program\)/],
  ['the log', /node_modules\/pino\/|\/src\/grpc\/call-log\.js|\/src\/platform\/(?:log|log-destination|redaction)\.js/],
  ['messages to bytes and back', /^(?:responseSerialize|requestDeserialize) |\/src\/grpc\/codec\/(?:en|de)coding\.js/],
  ['the ledger of what was acknowledged', /^acknowledge .*\/src\/core\/durability\/ledger\.js/],
  ['making tokens: claims, signatures', /\/src\/core\/session\/token-pair\.js/],
  ['reading a token: form, signature, claims', /\/src\/core\/use-cases\/(?:authenticate|verified-token-cache)\.js/],
  ['Redis: names, driver, answers', /\/src\/adapters\/redis\/|node_modules\/ioredis\//],
  ['LMDB', /\/src\/adapters\/lmdb\/|node_modules\/lmdb\//],
  ['the rest of the rules', /\/src\/core\//],
];
const OTHERS = 'gRPC and HTTP/2: grpc-js, streams, and what belongs to them';

export interface Share {
  readonly owner: string;
  /** Of all work, 0 to 1. */
  readonly share: number;
}

/**
 * The greatest first.
 * @param skipMs of the beginning, in which a service starts
 */
export function sharesOf({ nodes, samples, timeDeltas }: Profile, skipMs: number): Share[] {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, `${callFrame.functionName} ${callFrame.url}`]));
  const callers = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)));
  const stackOf = (id: number): string[] => {
    const stack: string[] = [];
    for (let at: number | undefined = id; at !== undefined; at = callers.get(at)) stack.push(frames.get(at) ?? '');
    return stack;
  };
  const ownerOf = (stack: readonly string[]): string =>
    OWNERS.find(([, frame]) => stack.some((each) => frame.test(each)))?.[0] ?? OTHERS;
  const owners = new Map(nodes.map(({ id }) => [id, ownerOf(stackOf(id))]));
  const spent = new Map<string, number>();
  let passedUs = 0;
  let worked = 0;
  for (const [at, id] of samples.entries()) {
    const us = timeDeltas[at] ?? 0;
    passedUs += us;
    const owner = owners.get(id);
    if (owner === undefined || passedUs < skipMs * 1000 || frames.get(id)?.startsWith('(idle)')) continue;
    worked += us;
    spent.set(owner, (spent.get(owner) ?? 0) + us);
  }
  return [...spent].map(([owner, us]) => ({ owner, share: us / worked })).sort((a, b) => b.share - a.share);
}
