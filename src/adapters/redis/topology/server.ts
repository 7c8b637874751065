// One Redis server: its connection, its clock, and the wait for its replicas.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { clientMaker, type TlsSource } from '../client.js';
import { Connection } from '../connection.js';
import { birthName } from '../keys.js';
import { READ } from '../read-script.js';
import { Replicas, type WaitWrite } from '../replicas.js';
import { evaluate } from '../script.js';
import { type Log, makeServerCheck } from '../server-check.js';
import { StoreClock } from '../store-clock.js';
import type { ServerAddress } from './owners.js';
import { redirectOf } from './redirect.js';

/** The options that all servers of a store share. */
export interface ServerOptions {
  readonly allowUnsafe: boolean;
  /** How many replicas must confirm before an acknowledgement. */
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
  /** The possible dummy writes before WAIT. */
  readonly waitWrites: () => readonly WaitWrite[];
  /** Called when the server becomes usable or unusable, and when its replicas go missing or return. */
  readonly changed: () => void;
}

/** How long `firstReached` waits for the first connection, ms. */
const REACHED_MS = 300;
const REACHED_STEP_MS = 10;

const PROBE = [birthName(0)];

export class Server {
  readonly address: ServerAddress;
  readonly clock: StoreClock;
  readonly connection: Connection;
  /** The time of its last need, the process's monotonic clock, ms. */
  neededMs: number;
  readonly #replicas: Replicas | undefined;

  /** Connects, and reconnects until it is closed. */
  constructor(options: ServerOptions, { address, clustered, waitWrites, changed }: ServerParts) {
    const { allowUnsafe, minReplicas, tls, log, commandTimeoutMs, connectTimeoutMs, monotonicMs } = options;
    this.address = address;
    this.neededMs = monotonicMs();
    const clock = new StoreClock(monotonicMs);
    const probe = (client: Redis): Promise<unknown> =>
      evaluate(client, READ, { keys: PROBE }).catch((error: unknown) => {
        // Redis checks permissions before slots, so a redirection proves the permission.
        if (!clustered || redirectOf(error) === undefined) throw error;
      });
    const connection = new Connection({
      makeClient: clientMaker(address.url, connectTimeoutMs, tls),
      needsWait: minReplicas > 0,
      check: makeServerCheck(allowUnsafe, probe, log),
      ...{ clock, log, changed, commandTimeoutMs, connectTimeoutMs },
    });
    this.clock = clock;
    this.connection = connection;
    const parts = { connection, clock, waitWrites, minReplicas, commandTimeoutMs, log, changed };
    this.#replicas = minReplicas > 0 ? new Replicas(parts) : undefined;
  }

  /** Waits briefly for the first connection. */
  async firstReached(): Promise<void> {
    for (let ms = 0; ms < REACHED_MS && this.connection.incarnation === undefined; ms += REACHED_STEP_MS)
      await sleep(REACHED_STEP_MS);
  }

  /** The time since which too few replicas confirm, the server's time, Unix ms; undefined: enough confirm. */
  get missingReplicasSinceMs(): number | undefined {
    return this.#replicas?.missingSinceMs;
  }

  /** Waits until enough replicas have everything that it has answered by now. @throws StoreUnavailable */
  async waitForReplicas(): Promise<void> {
    await this.#replicas?.waitForReplicas(this.connection.incarnation);
  }

  close(): Promise<void> {
    this.#replicas?.close();
    return this.connection.close();
  }
}
