// Limits of the gRPC ports: what one caller, and all together, can make the process hold.

/** Durations in ms. */
export interface TransportLimits {
  /** Open connections, over all listeners of the process. */
  readonly maxConnections: number;
  /** Of them from one address; of an IPv6 network /64 together. */
  readonly maxConnectionsPerAddress: number;
  /** TCP connect to the client's first SETTINGS frame, with the TLS handshake between. */
  readonly handshakeTimeoutMs: number;
  /** A connection without a call under way is closed after so long. */
  readonly maxConnectionIdleMs: number;
  /** A connection is asked to end after so long, give or take a tenth; Infinity: never. */
  readonly maxConnectionAgeMs: number;
  /** What is still under way on it then may take so much longer. */
  readonly maxConnectionAgeGraceMs: number;
  /** How long a request message may take to come, and an answer to be taken. */
  readonly messageTimeoutMs: number;
  /** Bytes of unfinished requests and unread answers, over all connections. */
  readonly maxHeldBytes: number;
}

const MINUTE_MS = 60_000;

export const DEFAULT_LIMITS: TransportLimits = {
  maxConnections: 2048,
  maxConnectionsPerAddress: 1024,
  handshakeTimeoutMs: 10_000,
  maxConnectionIdleMs: 10 * MINUTE_MS,
  maxConnectionAgeMs: 60 * MINUTE_MS,
  maxConnectionAgeGraceMs: 5 * MINUTE_MS,
  messageTimeoutMs: 10_000,
  maxHeldBytes: 64 * 1024 * 1024,
};

/** Calls open on one connection; more wait at the client. The least that RFC 9113 recommends, section 6.5.2. */
export const MAX_STREAMS = 100;
/** Of a request's head, all names and values with 32 bytes each (RFC 9113, section 6.5.2): what other gRPC servers take. */
export const MAX_HEAD_BYTES = 8 * 1024;
/** What an open call counts for, whatever it has sent: its stream, its head, and the first room for its message. */
export const CALL_BYTES = 8 * 1024;
/**
 * Each DATA frame costs work, however little it carries, and flow control counts bytes alone. Of a call so many pieces are
 * taken as they come: the prefix and the message may be one each. Later ones below so many bytes count, and so many of them,
 * from one sweep to the next, close the connection.
 */
export const FREE_PIECES = 8;
export const TINY_BYTES = 64;
export const MAX_TINY_PIECES = 1_000;
/** A silent connection is asked after so long whether it is alive, and has so long to answer. */
export const KEEPALIVE_MS = 60_000;
export const KEEPALIVE_TIMEOUT_MS = 20_000;
/** Without a call under way: a client that comes back later loses nothing by it. */
export const IDLE_TIMEOUT_MS = 5_000;
/** A connection with calls under way is asked, too, at most so often. */
export const BUSY_PING_MS = 5_000;
/** How often connections and calls are looked at for what is too late. */
export const SWEEP_MS = 500;
