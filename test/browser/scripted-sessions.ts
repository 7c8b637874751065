// Sessions of `latchkey/browser` before a scripted gateway, and clocks that a test moves.

import { expect } from 'chai';
import { createSession, type Session, SessionError, type SessionOptions } from '../../src/browser/index.js';
import { accessToken, type Scripted, ScriptedGateway } from './scripted-gateway.js';

const EVENTS = ['signedIn', 'refreshed', 'signedOut', 'unavailable'] as const;
export const REFUSED = { status: 401, body: { detail: 'Token is blacklisted', code: 'token_not_valid' } };
export const UNAVAILABLE = {
  status: 503,
  body: { detail: 'Service temporarily unavailable.', code: 'service_unavailable' },
};

/** A storage of pages, as two tabs share it. */
export class MapStorage {
  readonly #items = new Map<string, string>();
  getItem = (key: string) => this.#items.get(key) ?? null;
  setItem = (key: string, value: string) => this.#items.set(key, value);
  removeItem = (key: string) => this.#items.delete(key);
}

type PageEvents = (type: string, listener: unknown, options: { readonly signal: AbortSignal }) => void;

export class ScriptedSessions {
  readonly gateway: ScriptedGateway;
  readonly #sessions: Session[] = [];
  /** How many pairs the gateway has given. */
  traded = 0;
  /** What the sessions have emitted. */
  events: string[] = [];

  private constructor(gateway: ScriptedGateway) {
    this.gateway = gateway;
  }

  static async start(): Promise<ScriptedSessions> {
    const gateway = await ScriptedGateway.start();
    Object.assign(globalThis, { location: new URL(gateway.origin) });
    return new ScriptedSessions(gateway);
  }

  /** Closes the sessions so far; the gateway then answers with pairs. */
  reset(): void {
    for (const session of this.#sessions.splice(0)) session.close();
    this.gateway.requests.length = 0;
    this.traded = 0;
    this.events = [];
    this.gateway.answer = () => this.nextPair(300);
  }

  stop(): void {
    this.reset();
    this.gateway.stop();
    Reflect.deleteProperty(globalThis, 'location');
  }

  nextPair(lifeSeconds: number): Scripted {
    this.traded++;
    const access = accessToken(lifeSeconds, `a${this.traded}`);
    return { status: 200, body: { access, refresh: `r${this.traded}` } };
  }

  create(options: Partial<SessionOptions> = {}): Session {
    const session = createSession({ base: this.gateway.origin, mode: 'memory', ...options });
    const { events } = this;
    for (const event of EVENTS) session.on(event, (error) => events.push(error ? `${event} ${error.code}` : event));
    this.#sessions.push(session);
    return session;
  }

  /**
   * The session of a tab, which has the channel to the others.
   * @param addEventListener that of the page
   */
  tab(options: Partial<SessionOptions> = {}, addEventListener: PageEvents = () => {}): Session {
    Object.assign(globalThis, { addEventListener });
    const session = this.create({ mode: 'cookie', ...options });
    Reflect.deleteProperty(globalThis, 'addEventListener');
    return session;
  }

  bodies(): string[] {
    return this.gateway.requests.map(({ body }) => body);
  }
}

/** Gives the tests of a describe sessions, and each of them a gateway that answers with pairs. */
export function useScriptedSessions(take: (sessions: ScriptedSessions) => void): void {
  let sessions: ScriptedSessions;
  before(async () => {
    sessions = await ScriptedSessions.start();
  });
  after(() => sessions.stop());
  beforeEach(() => {
    sessions.reset();
    take(sessions);
  });
}

/** The error of a promise, which must be one of the library. */
export async function failure(promise: Promise<unknown>): Promise<SessionError> {
  const error = await promise.then(
    () => undefined,
    (reason) => reason,
  );
  expect(error).to.be.instanceOf(SessionError);
  return error;
}

/** What lets an answer go on that is being held. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

/** Runs `run` as if that time had passed, ms. */
export const later = <T>(ms: number, run: () => Promise<T>): Promise<T> => withClocks({ date: ms, monotonic: ms }, run);

/** Runs `run` with clocks that are ahead, each by its own number of ms. */
export async function withClocks<T>(
  { date, monotonic }: { readonly date: number; readonly monotonic: number },
  run: () => Promise<T>,
): Promise<T> {
  const { now } = Date;
  const monotonicNow = performance.now;
  Date.now = () => now() + date;
  performance.now = () => monotonicNow.call(performance) + monotonic;
  try {
    return await run();
  } finally {
    Date.now = now;
    performance.now = monotonicNow;
  }
}
