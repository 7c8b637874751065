// The session of a tab: one refresh at a time, new tokens for all tabs, and an end that only the gateway can declare.

import { type AccessToken, readAccessToken } from './access-token.js';
import { type Session, SessionError, type SessionEvent, type SessionListener, type SessionOptions } from './api.js';
import { authorizedFetch } from './authorized-fetch.js';
import { ask, type Fields, type JsonBody } from './gateway.js';
import { keptToken } from './kept-token.js';
import { type Began, joinTabs, type Tabs } from './tabs.js';
import { MOST_PAUSE_MS, MOST_WAIT_MS, PAUSE_MS } from './times.js';

declare const location: URL;

/** Creates the session of this tab. Nothing is sent, and nothing is listened to, before the first use. */
export function createSession({ base, mode, origins = [] }: SessionOptions): Session {
  const isCookieMode = mode === 'cookie';
  const key = `latchkey:${base ?? ''}`;
  const [load, save] = keptToken(mode, key);
  const listeners = new Set<readonly [SessionEvent, SessionListener]>();
  /** The age at which to refresh a token. It is random, so that tabs and users spread. */
  const refreshAge = 0.72 + 0.16 * Math.random();
  let token: AccessToken | undefined;
  /** Undefined: not known yet. */
  let isSignedIn: boolean | undefined;
  let trading: Promise<string | undefined> | undefined;
  /** How often the gateway has failed since its last answer, how it did, and when to ask it again, monotonic ms. */
  let failures = 0;
  let failure: SessionError | undefined;
  let pausedUntilMs = 0;
  /** Counts the starts and ends of sessions: an answer that belongs to an earlier one is dropped. */
  let epoch = 0;
  /** When the latest was, Unix ms: a token of another tab that was asked for before it is dropped. */
  let epochMs = 0;
  let tabs: Tabs | undefined;

  // Asynchronous, so that a listener that throws breaks nothing here.
  const emit = (event: SessionEvent, error?: SessionError): void => {
    for (const [wanted, listener] of listeners) if (wanted === event) queueMicrotask(() => listener(error));
  };

  const join = (): void => {
    tabs ??= joinTabs(
      mode === 'memory' ? '' : key,
      ([kind, access, atMs]) => {
        if (kind === 'signedOut') end();
        else if (kind === 'signedIn' || atMs > epochMs) accept(kind, readAccessToken(access, atMs));
      },
      () => failures && refreshAnew(),
      () => {
        token = undefined;
        refreshAnew();
      },
    );
  };

  /** A session begins or ends. */
  const turn = (): void => {
    epoch++;
    epochMs = Date.now();
    token = undefined;
  };

  const accept = (kind: Began, next: AccessToken): void => {
    if (kind === 'signedIn') turn();
    token = next;
    emit(isSignedIn ? kind : 'signedIn');
    isSignedIn = true;
    pausedUntilMs = 0;
    failures = 0;
  };

  const end = (): undefined => {
    turn();
    if (isSignedIn !== false) emit('signedOut');
    isSignedIn = false;
  };

  const call = async <T>(path: string, fields: Fields, read: (answer: JsonBody) => T): Promise<T | undefined> => {
    const own = epoch;
    const url = new URL(`/api/auth/${path}/`, base ?? location);
    for (;;) {
      const [result, error, retryAfterMs] = await ask(url, isCookieMode, fields, read);
      if (!error) return result;
      failure = error;
      const doubled = Math.min(PAUSE_MS * 2 ** ++failures, MOST_PAUSE_MS);
      const pauseMs = Math.max(Math.min(retryAfterMs || 0, MOST_PAUSE_MS), doubled * (0.5 + Math.random()));
      pausedUntilMs = performance.now() + pauseMs;
      emit('unavailable', error);
      if (epoch !== own || error.code === 'refused' || pauseMs > MOST_WAIT_MS) throw error;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  };

  /** Trades a refresh token. @param first that of a login; undefined: the one that is kept */
  const trade = async (kind: Began, first?: string): Promise<string | undefined> => {
    const own = epoch;
    if (first && !isCookieMode) await save(first);
    const sent = first ?? (await load());
    if (!sent && !isCookieMode) return end();
    const atMs = Date.now();
    const answer = await call(
      first && isCookieMode ? 'session' : 'token/refresh',
      { ...(sent && { refresh: sent }) },
      ({ access, refresh }) => [readAccessToken(access, atMs), refresh] as const,
    );
    const now = await load();
    // A session has begun or ended meanwhile, here or in another tab.
    if (epoch !== own) return token?.text;
    if (answer) {
      // At once: while the token is saved, a logout could end the session.
      const [next, refresh] = answer;
      accept(kind, next);
      // Not by `join`: `close` may have been called meanwhile.
      tabs?.send([kind, next.text, atMs]);
      // A slow answer must not replace the refresh token of a later one.
      if (refresh && now === sent) await save(refresh);
      return token?.text;
    }
    // Another tab has traded the token, and the grace window is over.
    if (now && now !== sent) return trade(kind);
    await save(null);
    return end();
  };

  /** Trades, or waits for the trade that is under way. */
  const tradeOnce = (kind: Began = 'refreshed', first?: string): Promise<string | undefined> => {
    trading ??= trade(kind, first).finally(() => {
      trading = undefined;
    });
    return trading;
  };

  /** Refreshes in the background, whatever failed before. */
  const refreshAnew = (): void => void tradeOnce().catch(() => {});

  const accessToken = async (): Promise<string | undefined> => {
    join();
    if (isSignedIn === false && !trading) return undefined;
    const isPaused = performance.now() < pausedUntilMs;
    if (token && token.age() < (isPaused ? 1 : refreshAge)) return token.text;
    if (isPaused && !trading) throw failure;
    if (token && token.age() < 1) {
      refreshAnew();
      return token.text;
    }
    return tradeOnce();
  };

  return {
    async signIn(first) {
      join();
      turn();
      // Its answer would store the cookie of the session before.
      while (trading) await trading.catch(() => {});
      if (!(await tradeOnce('signedIn', first))) throw new SessionError('signed_out');
    },

    accessToken,

    fetch: authorizedFetch(
      accessToken,
      (refused) => {
        if (token?.text !== refused) return true;
        // A new token that is refused has no fault: the next one would be refused too.
        if (token.age() < 0.1) return false;
        token = undefined;
        return true;
      },
      () => [base ?? location, location, ...origins],
    ),

    async logout({ all = false } = {}) {
      join();
      // Only the newest token ends all sessions, and the answer with it may have been lost.
      if (all) await tradeOnce();
      const sent = await load();
      const answer =
        (sent || isCookieMode) &&
        (await call('logout', { ...(sent && { refresh: sent }), all_sessions: `${all}` }, () => true));
      await save(null);
      end();
      tabs?.send(['signedOut']);
      // There is no session, or its token was refused: the other sessions go on.
      if (all && !answer) throw new SessionError('signed_out');
    },

    on(event, listener) {
      join();
      const entry = [event, listener] as const;
      listeners.add(entry);
      return () => void listeners.delete(entry);
    },

    close() {
      tabs?.close();
      tabs = undefined;
    },
  };
}
