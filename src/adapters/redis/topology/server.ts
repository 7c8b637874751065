// All that belongs to one Redis server: its connection, its clock, and the wait for its replicas.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { type Log, makeAdmission } from '../admission.js';
import { clientMaker, type TlsSource } from '../client.js';
import { Connection } from '../connection.js';
import { keyNames } from '../keys.js';
import { READ } from '../read-script.js';
import { Replicas, type WaitWrite } from '../replicas.js';
import { evaluate } from '../script.js';
import { StoreClock } from '../store-clock.js';
import type { ServerAddress } from './owners.js';
import { redirectOf } from './redirect.js';

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
  /** Called when it can be used, can be used no more, or its replicas are missing or back. */
  readonly changed: () => void;
}

/** How long the first connection to a server is waited for where a slot has come to it, ms. */
const REACHED_MS = 300;
const REACHED_STEP_MS = 10;

const PROBE = keyNames([{ kind: 'birth', shard: 0 }]);

export class Server {
  readonly address: ServerAddress;
  readonly clock: StoreClock;
  readonly connection: Connection;
  /** When it was needed last, the process's monotonic time, ms. */
  neededMs: number;
  readonly #replicas: Replicas | undefined;

  /** Starts to connect, and does not stop until it is closed. */
  constructor(options: ServerOptions, { address, clustered, waitWrites, changed }: ServerParts) {
    const { allowUnsafe, minReplicas, tls, log, commandTimeoutMs, connectTimeoutMs, monotonicMs } = options;
    this.address = address;
    this.neededMs = monotonicMs();
    const clock = new StoreClock(monotonicMs);
    const probe = (client: Redis): Promise<unknown> =>
      evaluate(client, READ, PROBE, []).catch((error: unknown) => {
        // Redis looks at the user's rights before it looks at the slot.
        if (!clustered || redirectOf(error) === undefined) throw error;
      });
    const connection = new Connection({
      makeClient: clientMaker(address.url, connectTimeoutMs, tls),
      needsWait: minReplicas > 0,
      admit: makeAdmission(allowUnsafe, probe, log),
      ...{ clock, log, changed, commandTimeoutMs, connectTimeoutMs },
    });
    this.clock = clock;
    this.connection = connection;
    const parts = { connection, clock, waitWrites, least: minReplicas, commandTimeoutMs, changed };
    this.#replicas = minReplicas > 0 ? new Replicas(parts) : undefined;
  }

  /** Names the server since it was started and since it was last made a primary; undefined: it was not reached yet. */
  get incarnation(): string | undefined {
    return this.connection.incarnation;
  }

  /** Waits for a while for its first connection. */
  async firstReached(): Promise<void> {
    for (let ms = 0; ms < REACHED_MS && this.incarnation === undefined; ms += REACHED_STEP_MS)
      await sleep(REACHED_STEP_MS);
  }

  /** Since when too few replicas have what was written, the server's time, Unix ms; undefined: enough have it. */
  get missingReplicasSinceMs(): number | undefined {
    return this.#replicas?.missingSinceMs;
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
