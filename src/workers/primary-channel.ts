// A worker's channel to its primary: it receives secrets and the request to stop, and sends the worker's state.

import cluster from 'node:cluster';
import type { Variables } from '../platform/env.js';
import type { MetricSnapshot } from '../platform/metrics/recorders.js';
import type { ToPrimary, ToWorker } from './messages.js';

type Channel = NonNullable<typeof cluster.worker>;

export class PrimaryChannel {
  /** This worker's number, in logs and health. */
  readonly worker: number;
  /** Resolves when this process must end: the primary requested it, or the primary has ended. */
  readonly end: Promise<'asked by the primary' | 'the primary is gone'>;
  readonly #channel: Channel;

  private constructor(channel: Channel) {
    this.#channel = channel;
    this.worker = channel.id;
    this.end = new Promise((resolve) => {
      channel.on('message', ({ kind }: ToWorker) => kind === 'stop' && resolve('asked by the primary'));
      channel.once('disconnect', () => {
        // Without this, Node would exit at once, in the middle of calls.
        channel.exitedAfterDisconnect = true;
        resolve('the primary is gone');
      });
    });
  }

  /** The channel to the primary of this process; undefined if it has none. Call it once. */
  static find(): PrimaryChannel | undefined {
    return cluster.worker?.isConnected() ? new PrimaryChannel(cluster.worker) : undefined;
  }

  /** Receives the secrets, by variable. This class does not keep them. */
  takeSecrets(): Promise<Variables> {
    return new Promise((resolve) => {
      const listener = (message: ToWorker): void => {
        if (message.kind !== 'secrets') return;
        this.#channel.off('message', listener);
        resolve(message.secrets);
      };
      this.#channel.on('message', listener);
      void this.send({ kind: 'hello' });
    });
  }

  /** Answers each request of the primary for metrics. */
  onMetricsRequest(snapshot: () => readonly MetricSnapshot[]): void {
    this.#channel.on('message', ({ kind }: ToWorker) => {
      if (kind === 'metrics') void this.send({ kind: 'metrics', metrics: snapshot() });
    });
  }

  /** Resolves when the message is sent, or cannot be sent. */
  send(message: ToPrimary): Promise<void> {
    return new Promise((resolve) => {
      if (this.#channel.isConnected()) this.#channel.send(message, () => resolve());
      else resolve();
    });
  }
}
