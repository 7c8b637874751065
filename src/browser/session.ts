// The session of a tab: one refresh at a time, new tokens for all tabs, and an end that only the gateway can declare.

import { type AccessToken, readAccessToken } from './access-token.js';
import { type Session, SessionError, type SessionEvent, type SessionListener, type SessionOptions } from './api.js';
import { authorizedFetch } from './authorized-fetch.js';
import { ask, type GatewayAnswer } from './gateway.js';
import { keepRefreshToken } from './refresh-token.js';
import { joinTabs, type Tabs } from './tabs.js';

declare const location: { readonly href: string };

type Began = 'signedIn' | 'refreshed';

/** A pause after a failure is at least a quarter and at most three quarters of this, doubled with each failure. */
const PAUSE_MS = 400;
const MOST_DOUBLINGS = 6;
/** A request is repeated that often, if the pauses are not longer than this, ms. Then a new request has to be made. */
const MOST_TRIES = 4;
const MOST_WAIT_MS = 4_000;
/** The longest pause that `Retry-After` may ask for: a proxy may name a day, and the gateway be back in a minute. */
const MOST_PAUSE_MS = 20_000;
const REFRESH = 'token/refresh';

/** Creates the session of this tab. Nothing is sent, and nothing is listened to, before the first use. */
export function createSession({ base, mode, origins = [] }: SessionOptions): Session {
  const isCookieMode = mode === 'cookie';
  const key = `latchkey:${base ?? ''}`;
  const [load, save] = keepRefreshToken(typeof mode === 'object' ? mode : undefined, key);
  const listeners = new Set<readonly [SessionEvent, SessionListener]>();
  let token: AccessToken | undefined;
  /** Undefined: not known yet. */
  let isSignedIn: boolean | undefined;
  let trading: Promise<string | undefined> | undefined;
  /** How often the gateway has failed since its last answer, how it did, and when to ask it again, Unix ms. */
  let failures = 0;
  let failure: SessionError | undefined;
  let pausedUntilMs = 0;
  /** Counts the starts and ends of sessions: an answer that belongs to an earlier one is dropped. */
  let epoch = 0;
  let tabs: Tabs | undefined;

  // Asynchronous, so that a listener that throws breaks nothing here.
  const emit = (event: SessionEvent, error?: SessionError): void => {
    for (const [wanted, listener] of listeners) if (wanted === event) queueMicrotask(() => listener(error));
  };

  const join = (): Tabs => {
    tabs ??= joinTabs(
      mode === 'memory' ? '' : key,
      (message) => {
        if (message[0] === 'signedOut') return end();
        if (message[0] === 'signedIn') epoch++;
        accept(...message);
      },
      () => failures && refreshAnew(),
      () => {
        token = undefined;
        refreshAnew();
      },
    );
    return tabs;
  };

  const accept = (kind: Began, access: string, atMs: number): void => {
    token = readAccessToken(access, atMs);
    emit(isSignedIn ? kind : 'signedIn');
    isSignedIn = true;
    pausedUntilMs = 0;
    failures = 0;
  };

  const end = (): undefined => {
    epoch++;
    token = undefined;
    if (isSignedIn !== false) emit('signedOut');
    isSignedIn = false;
  };

  const call = (path: string, sent: string | null, body?: object): Promise<GatewayAnswer> => {
    const own = epoch;
    const url = new URL(`/api/auth/${path}/`, base ?? location.href);
    return ask(url, isCookieMode, { ...(sent && { refresh: sent }), ...body }, (error, retryAfterMs) => {
      if (epoch !== own) return undefined;
      failure = error;
      const doubled = PAUSE_MS << Math.min(++failures, MOST_DOUBLINGS);
      const pauseMs = Math.max(Math.min(retryAfterMs, MOST_PAUSE_MS), doubled * (0.25 + Math.random() / 2));
      pausedUntilMs = Date.now() + pauseMs;
      emit('unavailable', error);
      if (error.code !== 'refused' && failures < MOST_TRIES && pauseMs <= MOST_WAIT_MS) return pauseMs;
      return undefined;
    });
  };

  /** Trades a refresh token. @param first that of a login; undefined: the one that is kept */
  const trade = async (kind: Began, path: string, first?: string): Promise<string | undefined> => {
    const own = epoch;
    if (first && !isCookieMode) await save(first);
    const sent = first ?? (await load());
    if (!sent && !isCookieMode) return end();
    const atMs = Date.now();
    const answer = await call(path, sent);
    const now = await load();
    // A session has begun or ended meanwhile, here or in another tab.
    if (epoch !== own) return token?.text;
    if (answer) {
      // At once: while the token is saved, a logout could end the session.
      accept(kind, answer.access, atMs);
      // Not by `join`: `close` may have been called meanwhile.
      tabs?.send([kind, answer.access, atMs]);
      // A slow answer must not replace the refresh token of a later one.
      if (answer.refresh && now === sent) await save(answer.refresh);
      return answer.access;
    }
    // Another tab has traded the token, and the grace window is over.
    if (now && now !== sent) return trade(kind, path);
    await save(null);
    return end();
  };

  /** Trades, or waits for the trade that is under way. */
  const tradeOnce = (kind: Began, path: string, first?: string): Promise<string | undefined> => {
    trading ??= trade(kind, path, first).finally(() => {
      trading = undefined;
    });
    return trading;
  };
  const refresh = () => tradeOnce('refreshed', REFRESH);

  /** Refreshes in the background, whatever failed before. */
  const refreshAnew = (): void => {
    pausedUntilMs = 0;
    refresh().catch(() => {});
  };

  const accessToken = async (): Promise<string | undefined> => {
    join();
    if (isSignedIn === false && !trading) return undefined;
    const nowMs = Date.now();
    const ageMs = nowMs - (token?.atMs ?? 0);
    // A clock that was set back makes a token useless.
    const good = token && ageMs >= 0 && ageMs < token.lifeMs ? token : undefined;
    if (good && (ageMs < good.refreshAgeMs || nowMs < pausedUntilMs)) return good.text;
    if (nowMs < pausedUntilMs && !trading) throw failure;
    if (!good) return refresh();
    refreshAnew();
    return good.text;
  };

  return {
    async signIn(first) {
      join();
      epoch++;
      token = undefined;
      // Its answer would store the cookie of the session before.
      while (trading) await trading.catch(() => {});
      if (!(await tradeOnce('signedIn', first && isCookieMode ? 'session' : REFRESH, first)))
        throw new SessionError('signed_out');
    },

    accessToken,

    fetch: authorizedFetch(
      accessToken,
      (refused) => {
        if (!token || refused !== `Bearer ${token.text}`) return true;
        // A new token that is refused has no fault: the next one would be refused too.
        if (Date.now() - token.atMs < token.lifeMs / 10) return false;
        token = undefined;
        return true;
      },
      () => [base ?? location.href, location.href, ...origins],
    ),

    async logout({ all } = {}) {
      join();
      const sent = await load();
      const answer = (sent || isCookieMode) && (await call('logout', sent, { all_sessions: all }));
      await save(null);
      end();
      tabs?.send(['signedOut']);
      // The token was refused, so the other sessions go on.
      if (all && answer === undefined) throw new SessionError('signed_out');
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
