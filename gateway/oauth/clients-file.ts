// The OAuth clients of a running gateway: their file is read again when it changes.

import type { Logger } from '../../src/platform/log.js';
import { type ClientRight, type OAuthClient, readClientsFile } from '../../src/settings/oauth-clients.js';

/** How often the file is read. */
const LOOK_EVERY_MS = 2_000;

export class ClientsFile {
  readonly #path: string;
  readonly #rights: readonly ClientRight[];
  readonly #log: Pick<Logger, 'info' | 'error'>;
  readonly #timer: NodeJS.Timeout;
  #clients: ReadonlyMap<string, OAuthClient> = new Map();
  /** The clients in use, as text: a change of white space is no change. */
  #shown = '';
  #fault: string | undefined;

  /**
   * Reads the file again and again until `close`. A file with errors gives no clients, or leaves those that were there.
   */
  constructor(
    { path, rights }: { readonly path: string; readonly rights: readonly ClientRight[] },
    log: Pick<Logger, 'info' | 'error'>,
    lookEveryMs = LOOK_EVERY_MS,
  ) {
    this.#path = path;
    this.#rights = rights;
    this.#log = log;
    this.refresh();
    this.#timer = setInterval(() => this.refresh(), lookEveryMs).unref();
  }

  /** The clients by their ids, as of the last valid content. */
  get clients(): ReadonlyMap<string, OAuthClient> {
    return this.#clients;
  }

  /** Reads the file. Never throws. */
  refresh(): void {
    const found = readClientsFile(this.#path, this.#rights);
    if ('faults' in found) return this.#report(found.faults.join('; '));
    const shown = JSON.stringify(found.clients);
    const wasBroken = this.#fault !== undefined;
    this.#fault = undefined;
    if (shown === this.#shown) {
      if (wasBroken) this.#log.info({ file: this.#path }, 'the file of OAuth clients is valid again, and unchanged');
      return;
    }
    this.#shown = shown;
    this.#clients = new Map(found.clients.map((client) => [client.id, client]));
    this.#log.info({ file: this.#path, clients: [...this.#clients.keys()] }, 'OAuth clients in use');
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** Logs each error once. */
  #report(fault: string): void {
    if (fault === this.#fault) return;
    this.#fault = fault;
    this.#log.error({ detail: fault }, 'the file of OAuth clients cannot be used: the current clients stay in use');
  }
}
