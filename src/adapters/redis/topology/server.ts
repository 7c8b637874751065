// Owns all that belongs to one primary: its connection, its clock, whether it is reached, and its replicas.

import type { Redis } from 'ioredis';
import { makeAdmission } from './admission.js';
import { Connection, type Found } from './connection.js';
import { type Log, Reachability } from './reachability.js';
import { Replicas } from './replicas.js';
import { StoreClock } from './store-clock.js';

/** What all primaries of a store have in common. */
export interface PrimaryOptions {
  readonly allowUnsafe: boolean;
  /** How many replicas must have what is acknowledged. */
  readonly minReplicas: number;
  readonly log: Log;
  readonly commandTimeoutMs: number;
  readonly connectTimeoutMs: number;
  /** The process's steady clock, ms. */
  readonly monotonicMs: () => number;
}

export interface PrimaryParts {
  readonly find: () => Promise<Found>;
  /** Reads a key of ours. */
  readonly probe: (client: Redis) => Promise<unknown>;
  /** Keys that may be written to wait for replicas. */
  readonly marks: () => readonly string[];
  /** Since when the process was without it before it reaches it first, the store's time, Unix ms; 0: since ever. */
  readonly awayFromMs?: number;
}

export class Primary {
  readonly clock: StoreClock;
  readonly reachability: Reachability;
  readonly connection: Connection;
  readonly replicas: Replicas | undefined;

  /** Starts to connect, and does not stop until it is closed. */
  constructor(options: PrimaryOptions, { find, probe, marks, awayFromMs = 0 }: PrimaryParts) {
    const { allowUnsafe, minReplicas: least, log, commandTimeoutMs, connectTimeoutMs, monotonicMs } = options;
    const clock = new StoreClock(monotonicMs);
    const reachability = new Reachability(log, () => clock.now(), awayFromMs);
    const admit = makeAdmission(allowUnsafe, probe, log, reachability);
    const twofold = least > 0;
    const common = { clock, reachability, commandTimeoutMs };
    const connection = new Connection({ ...common, find, twofold, admit, connectTimeoutMs });
    this.clock = clock;
    this.reachability = reachability;
    this.connection = connection;
    this.replicas = twofold ? new Replicas({ ...common, connection, marks, least }) : undefined;
  }

  close(): Promise<void> {
    this.replicas?.close();
    return this.connection.close();
  }
}
