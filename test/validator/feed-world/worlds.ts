// The worlds of the histories: the incidents, clocks and settings of each.

import type { NodeFaults } from './service.js';
import type { ValidatorFaults } from './validator.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** What can happen besides calls. */
export type Incident =
  | 'stream cut'
  | 'node restarts'
  | 'failover'
  | 'wipe'
  | 'log deleted'
  | 'birth deleted'
  | 'slot moves'
  | 'clock set'
  | 'folder restored'
  | 'older version ends'
  | 'validator paused'
  | 'machine suspended'
  | 'store away'
  | 'key retired';

export interface World {
  readonly incidents: readonly Incident[];
  /** How far the clock of a new primary, or a clock that is set, may be off, ms. */
  readonly clocksMs?: readonly number[];
  /** Whether what was acknowledged may be lost in a failover. */
  readonly losesAcknowledged?: boolean;
  /** ACCESS_TTL of the two nodes, ms. */
  readonly accessTtlMs?: readonly [number, number];
  /** Minutes may pass at once. */
  readonly isLong?: boolean;
  /** The second node is of a version that keeps no log. */
  readonly hasOldNode?: boolean;
  readonly nodeFaults?: NodeFaults;
  readonly validatorFaults?: ValidatorFaults;
}

const APART = [0, 5 * SECOND, -5 * SECOND];
const FAR_APART = [0, 10 * MINUTE, -10 * MINUTE];

export const WORLDS: Readonly<Record<string, World>> = {
  'without faults': { incidents: [] },
  'where streams are cut and nodes restart': { incidents: ['stream cut', 'node restarts'] },
  'with failovers': { incidents: ['failover', 'stream cut'] },
  'with failovers to clocks 5 s apart': {
    incidents: ['failover', 'failover', 'stream cut', 'log deleted'],
    clocksMs: APART,
  },
  'with failovers to clocks 10 min apart': { incidents: ['failover', 'stream cut'], clocksMs: FAR_APART, isLong: true },
  'with failovers that lose acknowledged writes': { incidents: ['failover', 'stream cut'], losesAcknowledged: true },
  'with such failovers to clocks 5 s apart': {
    incidents: ['failover', 'stream cut'],
    clocksMs: APART,
    losesAcknowledged: true,
  },
  'with such failovers, and restarts': {
    incidents: ['failover', 'stream cut', 'node restarts'],
    clocksMs: APART,
    losesAcknowledged: true,
  },
  'with a store that is wiped': { incidents: ['wipe', 'stream cut'] },
  'with logs deleted by hand': { incidents: ['log deleted', 'stream cut'] },
  'with births deleted by hand': { incidents: ['birth deleted', 'stream cut'] },
  'with slots on their way': { incidents: ['slot moves', 'slot moves', 'stream cut'] },
  'with slots on their way, and failovers': { incidents: ['slot moves', 'slot moves', 'failover', 'stream cut'] },
  'with ACCESS_TTL of 5 min and of 60 min': {
    incidents: ['stream cut'],
    accessTtlMs: [5 * MINUTE, 60 * MINUTE],
    isLong: true,
  },
  'with a clock that is set': {
    incidents: ['clock set', 'stream cut'],
    clocksMs: [0, 2 * MINUTE, -2 * MINUTE, 20 * MINUTE],
    isLong: true,
  },
  'with a folder that is restored': { incidents: ['folder restored', 'stream cut'], losesAcknowledged: true },
  'with an older version beside': { incidents: ['older version ends', 'stream cut'], hasOldNode: true },
  'with validators paused, and machines suspended': {
    incidents: ['validator paused', 'machine suspended', 'stream cut'],
  },
  'with a store, and shards, that are away': { incidents: ['store away', 'stream cut'] },
  'with keys that are retired': { incidents: ['key retired', 'stream cut'] },
  'with nearly all of it': {
    incidents: [
      ...(['failover', 'wipe', 'log deleted', 'birth deleted', 'slot moves', 'slot moves', 'stream cut'] as const),
      ...(['node restarts', 'validator paused', 'machine suspended', 'store away'] as const),
    ],
    clocksMs: APART,
    isLong: true,
  },
};
