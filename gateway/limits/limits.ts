// Bounds on what one client can take of the gateway: bytes, time, requests and connections.

/** Bounds on what one client can take. All times in ms. */
export interface GatewayLimits {
  /** The most bytes of a request's body; two tokens of 8 KiB do not fit, one and its frame do. */
  readonly bodyBytes: number;
  /** How long one call of the service may take. Under a second, so that a client learns of an outage within one. */
  readonly callMs: number;
  /** How long the headers of a request may take to arrive. */
  readonly headersMs: number;
  /** How long a whole request may take to arrive. */
  readonly requestMs: number;
  /** How long an idle connection is kept; above the 60 s of common load balancers, so that they end it, not we. */
  readonly keepAliveMs: number;
  /** How long nothing may move on a connection while something is under way: the client does not read, for one. */
  readonly stalledMs: number;
  /** How often the times above are enforced. */
  readonly checkEveryMs: number;
  /** The most headers of a request. Node drops those beyond its own limit without a word, a proxy's among them. */
  readonly headers: number;
  /** The most requests of one connection that wait for their answers. Browsers and proxies send one after the other. */
  readonly pipelined: number;
  /** The most connections at once. At the limit the longest idle one is closed; if none is idle, the new one is. */
  readonly connections: number;
  /**
   * The same for one client address; connections of trusted proxies count in `connections` alone. By default twice the
   * calls that the service takes at once, so that a proxy that is not named is not held back by it.
   */
  readonly connectionsPerAddress: number;
  /** How often, at most, the log has a line about connections that were closed at a limit. */
  readonly reportMs: number;
  /** How long requests under way may take to finish once the gateway begins to stop. */
  readonly stopMs: number;
}

export const GATEWAY_LIMITS: GatewayLimits = {
  bodyBytes: 16 * 1024,
  callMs: 900,
  headersMs: 5_000,
  requestMs: 10_000,
  keepAliveMs: 65_000,
  stalledMs: 15_000,
  checkEveryMs: 1_000,
  headers: 100,
  pipelined: 16,
  connections: 4_096,
  connectionsPerAddress: 512,
  reportMs: 10_000,
  stopMs: 5_000,
};
