// Limits of the gRPC ports: connections, time and memory, for one caller and for all together.

/** Durations in ms. */
export interface TransportLimits {
  /** The most open connections, over all listeners of the process. */
  readonly maxConnections: number;
  /** The most of them from one address. The addresses of an IPv6 /64 network count together. */
  readonly maxConnectionsPerAddress: number;
  /** From the TCP connect to the client's first SETTINGS frame, including the TLS handshake. */
  readonly handshakeTimeoutMs: number;
  /** After this time without a call under way, a connection is closed. */
  readonly maxConnectionIdleMs: number;
  /** After this time, varied by a tenth, the server sends GOAWAY; Infinity: never. */
  readonly maxConnectionAgeMs: number;
  /** How long calls may continue after that GOAWAY. */
  readonly maxConnectionAgeGraceMs: number;
  /** How long a request message may take to arrive, and how long a response may stay unread. */
  readonly messageTimeoutMs: number;
  /** The most bytes of incomplete requests and unread responses, over all connections. */
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

/** Open calls on one connection. The client queues more. The least value that RFC 9113, section 6.5.2, recommends. */
export const MAX_STREAMS = 100;
/** The size of a request's head, counted as RFC 9113, section 6.5.2, does. Other gRPC servers have the same limit. */
export const MAX_HEAD_BYTES = 8 * 1024;
/** The bytes that every open call counts for: its stream, its head, and its first message buffer. */
export const CALL_BYTES = 8 * 1024;
/**
 * Each DATA frame costs work, whatever its size, and flow control counts only bytes. The first FREE_PIECES frames of a
 * call are free: the prefix and the message may come in separate frames. Later frames of fewer than TINY_BYTES are
 * counted, and MAX_TINY_PIECES of them between two sweeps close the connection.
 */
export const FREE_PIECES = 8;
export const TINY_BYTES = 64;
export const MAX_TINY_PIECES = 1_000;
/** When a silent connection is pinged, and how long it has to answer. */
export const KEEPALIVE_MS = 60_000;
export const KEEPALIVE_TIMEOUT_MS = 20_000;
/** The same for a connection with a lasting call, such as a stream that must not end unnoticed. */
export const LASTING_KEEPALIVE_MS = 10_000;
export const LASTING_TIMEOUT_MS = 5_000;
/** The time to answer if no call is under way: such a client loses nothing if the connection closes. */
export const IDLE_TIMEOUT_MS = 5_000;
/** The least time between two PINGs on a connection with calls under way. */
export const BUSY_PING_MS = 5_000;
/** How often the time limits of connections and calls are enforced. */
export const SWEEP_MS = 500;
