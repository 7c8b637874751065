// The log lines of a key folder: keys added and removed, the key that signs, and dates too close to decide.

import type { Dated } from '../../core/key-schedule.js';
import type { Logger } from '../../platform/logger.js';
import type { KeyFile } from './key-files.js';

const CLOSE_DATES =
  'two key files were written within seconds: nodes may disagree about which one signs; set JWT_ACTIVE_KID on every node';

export interface KeyRingLogOptions {
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  readonly folder: string;
  /** How long a new key only verifies, ms. */
  readonly delayMs: number;
  /** The key that JWT_ACTIVE_KID names. */
  readonly activeKid: string | undefined;
}

/** Writes each line once, as long as what it says does not change. */
export class KeyRingLog {
  readonly #options: KeyRingLogOptions;
  #signingKid: string | undefined;
  /** The last reported pair of keys whose dates are too close. */
  #rivals: string | undefined;

  constructor(options: KeyRingLogOptions) {
    this.#options = options;
  }

  added({ kid, path, key }: KeyFile): void {
    const { log, delayMs } = this.#options;
    log.info(
      { kid, path, algorithm: key.algorithm, delayMs },
      'key added: it only verifies tokens until its delay has passed',
    );
  }

  removed({ kid, path }: KeyFile): void {
    const { log, activeKid } = this.#options;
    log.info({ kid, path }, 'key removed: its tokens are refused from now on');
    if (kid === activeKid) log.error({ kid }, 'the key in JWT_ACTIVE_KID was removed: the newest key signs');
  }

  /** The key that signs, which changes because of the files or of the time. */
  signing(kid: string): void {
    if (kid === this.#signingKid) return;
    this.#signingKid = kid;
    this.#options.log.info({ kid }, 'this key now signs new tokens');
  }

  /**
   * Warns about two keys whose dates are too close: another node may sign with the other key.
   * @param rival the key that competes with the newest one; undefined: there is none
   */
  rivals(newest: Dated, rival: Dated | undefined): void {
    const kids = rival && [newest.kid, rival.kid];
    const rivals = kids?.toSorted().join();
    if (rivals === this.#rivals) return;
    this.#rivals = rivals;
    const { log, folder } = this.#options;
    // Each in a field `kid`: in other fields the log redacts long random texts as signatures.
    if (kids) log.warn({ folder, keys: kids.map((kid) => ({ kid })) }, CLOSE_DATES);
  }
}
