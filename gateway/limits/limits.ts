// The limits of the gateway: sizes, times, requests and connections, with their values.

/** All times in ms. */
export interface GatewayLimits {
  /** The most bytes of a request body: room for one token of 8 KiB and the JSON around it, not for two. */
  readonly bodyBytes: number;
  /** How long one call to the service may take. Under a second, so that a client learns of an outage within one. */
  readonly callMs: number;
  /** How long the headers of a request may take to arrive. */
  readonly headersMs: number;
  /** How long a complete request may take to arrive. */
  readonly requestMs: number;
  /** How long an idle connection stays open. Above the 60 s of common load balancers, so that they close it first. */
  readonly keepAliveMs: number;
  /** How long a connection may transfer nothing while a request or a response is under way. */
  readonly stalledMs: number;
  /** How often the times above are enforced. */
  readonly checkEveryMs: number;
  /** The most headers of a request. Beyond its own limit Node silently drops headers, also those of a proxy. */
  readonly headers: number;
  /** The most requests of one connection that wait for responses. Browsers and proxies send one at a time. */
  readonly pipelined: number;
  /** The most open connections. At the limit the longest idle one is closed, or, if none is idle, the new one. */
  readonly connections: number;
  /**
   * The same for one client address. Connections of trusted proxies count in `connections` only. The default is twice
   * the number of concurrent calls that the service accepts, so that it does not limit a proxy missing in TRUST_PROXY.
   */
  readonly connectionsPerAddress: number;
  /** The least time between two log lines about connections that were closed at a limit. */
  readonly reportMs: number;
  /** When the gateway stops, for how long no request may be under way before it closes all connections. */
  readonly quietMs: number;
  /** How long requests under way may take to finish when the gateway stops. */
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
  // A request that was just sent arrives within it.
  quietMs: 100,
  stopMs: 5_000,
};
