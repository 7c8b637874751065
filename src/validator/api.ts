// The public types of `latchkey/validator`. Imports nothing, so that its declarations need no others.

/** A time span: a number of milliseconds, or a text such as `500ms`, `2s`, `5m`, as in the settings of the service. */
export type Duration = string | number;

/** TLS towards the service. Paths of PEM files; changed files are read again for each new connection. */
export interface ValidatorTls {
  /** The CA certificates that the service's certificate must chain to. Default: the roots that Node knows. */
  readonly ca?: string;
  /** The own certificate, for mutual TLS, followed by its intermediate certificates. Needs `key`. */
  readonly cert?: string;
  /** The private key of `cert`, unencrypted, not readable by other users. */
  readonly key?: string;
  /** The name or IP address that must be in the service's certificate. Default: the host of each address. */
  readonly name?: string;
}

/**
 * The source of answers. `answers`: calls of ValidateTokens, whose answers are cached. `feed`: the stream of
 * revocations; with it this process decides on tokens under ES256 and RS256, and calls the service where the feed does
 * not suffice. `auto`: the feed if the service has one that this process can use, else `answers`.
 */
export type Source = 'answers' | 'feed' | 'auto';

/**
 * What happens if the feed has delivered nothing that is young enough to decide on a token. `ask`: the service is
 * called. `throw`: CannotTell, once no pong has come within `deadline`.
 */
export type WhenStale = 'ask' | 'throw';

export interface ValidatorOptions {
  /**
   * Where the service listens: `host:port`, or several. A host name may have several IP addresses. Calls go to all of
   * them in turn, and a failed call is tried again at another one first.
   */
  readonly address: string | readonly string[];
  /** Default: `answers`. */
  readonly source?: Source;
  /** Not with the source `answers`. Default: `ask`. */
  readonly whenStale?: WhenStale;
  /**
   * Audiences (RFC 9068, section 4): a token must name one of them in `aud`; an adopted token names none. Default:
   * `aud` is not checked here.
   */
  readonly audience?: string | readonly string[];
  /** The issuer that a token must name in `iss`; an adopted token names none. Default: `iss` is not checked here. */
  readonly issuer?: string;
  /** How old an answer of the service may be, from the sending of its call. 1 ms to 1 h. Default: `2s`. */
  readonly maxStaleness?: Duration;
  /** How long `validate` waits for the service in all, retries included. 10 ms to 1 min. Default: `1s`. */
  readonly deadline?: Duration;
  /** `true`, or files. Default: plain text. */
  readonly tls?: boolean | ValidatorTls;
  /**
   * The most tokens that are remembered. One of more than 1,024 characters counts as several. The tokens whose answers
   * are the oldest are forgotten first. Default: 100,000.
   */
  readonly maxRemembered?: number;
  /** The most calls to the service under way at a time. Default: 8. */
  readonly maxCalls?: number;
  /**
   * The most callers of `validate` that wait at a time; past that the longest waiting gets CannotTell. Default: 10,000.
   */
  readonly maxWaiting?: number;
}

export interface ValidateOptions {
  /**
   * `bounded`: an answer not older than `maxStaleness` will do. `strict`: the service is asked in a call that is sent
   * after `validate` was called. Default: `bounded`.
   */
  readonly consistency?: 'bounded' | 'strict';
  /** Instead of the validator's own `maxStaleness`, 1 ms to 1 h; not with `strict`. */
  readonly maxStaleness?: Duration;
}

/** Why a token is not active: TokenProblem of the contract without its prefix. */
export type InactiveProblem =
  | 'MALFORMED'
  | 'BAD_SIGNATURE'
  | 'UNKNOWN_KEY'
  | 'WRONG_TYPE'
  | 'MISSING_CLAIM'
  | 'EXPIRED'
  | 'NOT_YET_VALID'
  | 'WRONG_ISSUER'
  | 'WRONG_AUDIENCE'
  | 'REVOKED'
  | 'REUSED'
  /** A reason that this version of the library does not know. */
  | 'UNSPECIFIED';

/** The token is active. Frozen: all callers with the same token share it. */
export interface ActiveToken {
  readonly active: true;
  /** The claim `sub`. */
  readonly subject: string;
  /** The claim `sid`; empty for an adopted token, which names no session. */
  readonly sessionId: string;
  /** The claim `jti`. */
  readonly tokenId: string;
  /** The claim `iat`. Unix time, seconds. */
  readonly issuedAt: number;
  /** The claim `exp`, or earlier if a setting of the service was lowered since. Unix time, seconds. */
  readonly expiresAt: number;
  /** The claim `iss`; undefined: the token has none. */
  readonly issuer: string | undefined;
  /** The claim `aud`; empty: the token has none. */
  readonly audience: readonly string[];
  /** The claims that are neither registered nor reserved: those that the login back end has set. */
  readonly claims: Readonly<Record<string, unknown>>;
}

/** The token is not active. */
export interface InactiveToken {
  readonly active: false;
  readonly problem: InactiveProblem;
}

export type Validation = ActiveToken | InactiveToken;

/** What the validator does, for metrics. Counters begin at 0 with the validator. */
export interface ValidatorState {
  /**
   * `starting`: no call has been answered yet. `stale`: calls fail, and the last one that was answered was sent longer
   * ago than `maxStaleness`. `fresh`: neither. `closed`: after `close`.
   */
  readonly phase: 'starting' | 'fresh' | 'stale' | 'closed';
  /**
   * While calls fail: how long ago the last answered call was sent, or, before the first, the validator was created,
   * ms. Else 0.
   */
  readonly staleMs: number;
  /** Public keys whose cache time, as the service set it, is not over. */
  readonly keys: number;
  /** Tokens that are remembered, active or not. */
  readonly remembered: number;
  /** Callers that wait. */
  readonly waiting: number;
  /** Calls of ValidateTokens under way. */
  readonly callsUnderWay: number;
  /** Calls of ValidateTokens that were sent, retries included. */
  readonly calls: number;
  /** Of these, the ones that failed. */
  readonly failedCalls: number;
  /** Tokens in these calls. */
  readonly asks: number;
  /** Answers from what is remembered. */
  readonly hits: number;
  /** Tokens that were refused here, without a call. */
  readonly refusedHere: number;
  /** Callers that got CannotTell. */
  readonly cannotTell: number;
  /**
   * The stream of the feed. `starting`: nothing has come yet. `following`: its pings are answered. `behind`: it was
   * lost, and is opened again. `off`: there is none, or none that this process can use: the service is called.
   */
  readonly feed: 'starting' | 'following' | 'behind' | 'off' | 'closed';
  /** The age of what the feed knows of its least current shard, ms; undefined: it does not know all shards. */
  readonly feedAgeMs: number | undefined;
  /** Ended sessions, cut-off subjects and doubts that are held. */
  readonly revocations: number;
  /** Tokens whose signatures need not be verified again. */
  readonly verified: number;
  /** Answers from the feed. */
  readonly decided: number;
  /** Streams that were opened. */
  readonly streams: number;
  /** Pings that were sent. */
  readonly pings: number;
}

/** Validates access tokens in this process. */
export interface Validator {
  /**
   * Resolves once the service has answered and its public keys are known. Optional: `validate` does not need it.
   * @param timeout default: `10s`
   * @throws CannotTell if that takes longer
   */
  ready(timeout?: Duration): Promise<void>;
  /**
   * Whether an access token is active.
   * @param token the text after `Bearer `
   * @throws CannotTell if the service gives no answer in time; TypeError for an invalid option
   */
  validate(token: string, options?: ValidateOptions): Promise<Validation>;
  /**
   * The same without a call: synchronous, within `maxStaleness`.
   * @returns undefined if only the service can answer: call `validate` then
   */
  validateNow(token: string): Validation | undefined;
  state(): ValidatorState;
  /** Ends all calls and connections. Callers that wait, and later ones, get CannotTell. Safe to repeat. */
  close(): Promise<void>;
}
