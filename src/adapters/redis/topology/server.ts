// All that belongs to one Redis server: its connection, its clock, its status, and the wait for its replicas.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { makeAdmission } from '../admission.js';
import { clientMaker, type TlsSource } from '../client.js';
import { Connection } from '../connection.js';
import { keyNames } from '../keys.js';
import { READ } from '../read-script.js';
import { Replicas, type WaitWrite } from '../replicas.js';
import { evaluate } from '../script.js';
import { StoreClock } from '../store-clock.js';
import type { ServerAddress } from './owners.js';
import { redirectOf } from './redirect.js';
import { type Log, ServerStatus } from './server-status.js';

/** What all servers of a store have in common. */
export interface ServerOptions {
  readonly allowUnsafe: boolean;
  /** How many replicas must have what is acknowledged. */
  readonly minReplicas: number;
  readonly tls: TlsSource | undefined;
  readonly log: Log;
  readonly commandTimeoutMs: number;
  readonly connectTimeoutMs: number;
  /** The process's monotonic clock, ms. */
  readonly monotonicMs: () => number;
}

export interface ServerParts {
  readonly address: ServerAddress;
  /** Whether it is a node of a cluster, which may own none of our slots. */
  readonly clustered: boolean;
  /** Writes that may be made to wait for replicas. */
  readonly waitWrites: () => readonly WaitWrite[];
  /** Called when its status has changed. */
  readonly changed: () => void;
}

const REACHED_STEP_MS = 10;

const PROBE = keyNames([{ kind: 'birth', shard: 0 }]);

export class Server {
  readonly id: string;
  readonly label: string | undefined;
  readonly clock: StoreClock;
  readonly status: ServerStatus;
  readonly connection: Connection;
  readonly #replicas: Replicas | undefined;

  /** Starts to connect, and does not stop until it is closed. */
  constructor(options: ServerOptions, { address, clustered, waitWrites, changed }: ServerParts) {
    const { allowUnsafe, minReplicas, tls, log, commandTimeoutMs, connectTimeoutMs, monotonicMs } = options;
    this.id = address.id;
    this.label = address.label;
    const clock = new StoreClock(monotonicMs);
    const status = new ServerStatus(changed);
    const probe = (client: Redis): Promise<unknown> =>
      evaluate(client, READ, PROBE, []).catch((error: unknown) => {
        // Redis looks at the user's rights before it looks at the slot.
        if (!clustered || redirectOf(error) === undefined) throw error;
      });
    const connection = new Connection({
      makeClient: clientMaker(address.url, connectTimeoutMs, tls),
      needsWaitClient: minReplicas > 0,
      admit: makeAdmission(allowUnsafe, probe, log, status),
      ...{ clock, status, log, commandTimeoutMs, connectTimeoutMs },
    });
    this.clock = clock;
    this.status = status;
    this.connection = connection;
    const parts = { connection, status, clock, waitWrites, least: minReplicas, commandTimeoutMs };
    this.#replicas = minReplicas > 0 ? new Replicas(parts) : undefined;
  }

  /** Names the server since it was started and since it was last made a primary; undefined: it was not reached yet. */
  get incarnation(): string | undefined {
    return this.connection.incarnation;
  }

  /** Waits for a while until it can be used. */
  async reached(limitMs: number): Promise<void> {
    for (let leftMs = limitMs; leftMs > 0 && !this.status.isUp; leftMs -= REACHED_STEP_MS) await sleep(REACHED_STEP_MS);
  }

  /** Waits until enough replicas have all that it has answered until now. @throws StoreUnavailable */
  async waitForReplicas(): Promise<void> {
    await this.#replicas?.settle(this.incarnation);
  }

  close(): Promise<void> {
    this.#replicas?.close();
    return this.connection.close();
  }
}
