// Owns the primary as its worker sees it: who hands over what is not inherited, hears how it goes, and may be gone.

import cluster from 'node:cluster';
import type { Variables } from '../env.js';
import type { ToPrimary, ToWorker } from './messages.js';

type Channel = NonNullable<typeof cluster.worker>;

export class Primary {
  /** This worker's number, in logs and health. */
  readonly worker: number;
  /** Resolves when this process is to end: it was asked to, or nobody is left who could ask. */
  readonly end: Promise<'asked by the primary' | 'the primary is gone'>;
  readonly #channel: Channel;

  private constructor(channel: Channel) {
    this.#channel = channel;
    this.worker = channel.id;
    this.end = new Promise((resolve) => {
      channel.on('message', ({ kind }: ToWorker) => kind === 'stop' && resolve('asked by the primary'));
      channel.once('disconnect', () => {
        // Otherwise Node ends the process now, in the middle of its calls.
        channel.exitedAfterDisconnect = true;
        resolve('the primary is gone');
      });
    });
  }

  /** The primary of this process; undefined if it has none. To be called once. */
  static find(): Primary | undefined {
    return cluster.worker?.isConnected() ? new Primary(cluster.worker) : undefined;
  }

  /** What the primary hands over: the secrets, by their variables. Kept by nobody here. */
  takeSecrets(): Promise<Variables> {
    return new Promise((resolve) => {
      const listener = (message: ToWorker): void => {
        if (message.kind !== 'secrets') return;
        this.#channel.off('message', listener);
        resolve(message.secrets);
      };
      this.#channel.on('message', listener);
      void this.tell({ kind: 'hello' });
    });
  }

  /** Resolves when it has been handed on, or cannot be. */
  tell(message: ToPrimary): Promise<void> {
    return new Promise((resolve) => {
      if (this.#channel.isConnected()) this.#channel.send(message, () => resolve());
      else resolve();
    });
  }
}
