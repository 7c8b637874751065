// The HTTP client that tests use in front of a running gateway, as a browser would.

import { expect } from 'chai';
import type { Running, Started } from '../support/processes.js';

/** An answer, read to its end. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** How long it took, ms. */
  readonly ms: number;
}

export interface WebPair {
  readonly access: string;
  readonly refresh: string;
}

export const REFRESH = '/api/auth/token/refresh/';
export const LOGOUT = '/api/auth/logout/';

/** The bodies that clients of simplejwt know. */
export const EXPIRED = '{"detail":"Token is expired","code":"token_not_valid"}';
export const BLACKLISTED = '{"detail":"Token is blacklisted","code":"token_not_valid"}';
export const INVALID = '{"detail":"Token is invalid","code":"token_not_valid"}';

export class Browser<Process extends Running = Started> {
  readonly process: Process;

  constructor(process: Process) {
    this.process = process;
  }

  /** Posts a JSON document: a value, or a text that is sent as it is. */
  post(path: string, document: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const body = typeof document === 'string' ? document : JSON.stringify(document);
    return this.ask(path, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } });
  }

  refresh(token: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.post(REFRESH, { refresh: token }, headers);
  }

  logout(token: string): Promise<Answer> {
    return this.post(LOGOUT, { refresh: token });
  }

  async ask(path: string, init: RequestInit = {}): Promise<Answer> {
    const startMs = performance.now();
    const { status, headers, ...answer } = await fetch(`http://${this.process.address}${path}`, init).then(
      async (response) => ({ status: response.status, headers: response.headers, text: await response.text() }),
    );
    return { status, headers, ...answer, ms: performance.now() - startMs };
  }
}

/** The pair in the answer to a refresh that must have succeeded. */
export function pairIn({ status, text }: Answer): WebPair {
  expect(status, text).to.equal(200);
  return JSON.parse(text);
}

/** In front of a gateway in whatever process. */
export type AnyBrowser = Browser<Running>;
