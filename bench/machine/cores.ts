// The cores of processes: the server under test has one to itself, and all else that the bench needs has another.

import { spawnSync } from 'node:child_process';
import { cpus } from 'node:os';

const SERVER_CORE = '0';
const OTHER_CORE = '1';

/** Whether processes can be kept to cores: Linux, with `taskset` and two cores or more. */
export const CAN_PIN = cpus().length > 1 && spawnSync('taskset', ['--version']).status === 0;

/** A command that runs on the core of the server alone, where cores can be chosen. */
export const onServerCore = (command: readonly string[]): string[] =>
  CAN_PIN ? ['taskset', '-c', SERVER_CORE, ...command] : [...command];

/** A command that may run anywhere, though this process may not. */
export const onAnyCore = (command: readonly string[]): string[] =>
  CAN_PIN ? ['taskset', '-c', `0-${cpus().length - 1}`, ...command] : [...command];

/** Leaves the server's core; the processes that this one starts do too, unless they set it otherwise. */
export function leaveServerCore(): void {
  if (CAN_PIN) spawnSync('taskset', ['-a', '-p', '-c', OTHER_CORE, `${process.pid}`]);
}
