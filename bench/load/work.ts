// What a process that makes load sends, in a form that can be handed to another process.

/** How the calls travel, and to which method or path. */
export interface Route {
  readonly protocol: 'grpc' | 'http';
  readonly path: string;
  /** Metadata, or headers. */
  readonly headers: Readonly<Record<string, string>>;
  /** By HTTP: a message is a bearer token, sent by GET in the header Authorization. Default: a body, sent by POST. */
  readonly bearer?: boolean;
}

/** What an answer must be, to the letter or from its beginning. */
export interface Expected {
  readonly bytes: Uint8Array;
  readonly whole: boolean;
}

/** Messages that are the same whatever was answered. */
export interface FixedWork {
  readonly kind: 'fixed';
  readonly messages: readonly Uint8Array[];
  /** One for each message, or one for all. */
  readonly expected: readonly Expected[];
  /** Each after the other and again; by chance; or each once, after which the load ends. */
  readonly order: 'in turn' | 'random' | 'once';
}

/** How a session's next refresh token is found in an answer. `canned`: always the same answer, and the same token again. */
export type Answers =
  | { readonly kind: 'pairs' }
  | { readonly kind: 'json' }
  | { readonly kind: 'canned'; readonly bytes: Uint8Array };

/** Refreshes of some sessions in turn, each with the token that the session's last one answered. */
export interface ChainedWork {
  readonly kind: 'chained';
  readonly refreshTokens: readonly string[];
  readonly answers: Answers;
}

/** Logins: each answer must be a pair of its own. */
export interface IssuingWork {
  readonly kind: 'issuing';
  readonly messages: readonly Uint8Array[];
}

export type Work = { readonly route: Route } & (FixedWork | ChainedWork | IssuingWork);
