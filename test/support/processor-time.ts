// The processor time that processes have taken, read from Linux.
// Unlike the time of the clock, a busy machine hardly changes it.

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** What the kernel counts in, ms (`USER_HZ` is 100). */
const TICK_MS = 10;

/** User and system time of a process so far, ms. */
export function cpuMsOf(pid: number): number {
  const [user, system] = (readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1] ?? '').split(' ').slice(11, 13);
  return (Number(user) + Number(system)) * TICK_MS;
}

/** User and system time of this process so far, ms. */
export function ownCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** The processor time of a process that loads a package, and does no more, ms. */
export async function cpuMsToLoad(name: string): Promise<number> {
  const code = `await import('${name}'); const { user, system } = process.cpuUsage(); console.log((user + system) / 1000)`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    cwd: fileURLToPath(new URL('.', import.meta.url)),
  });
  let text = '';
  for await (const chunk of child.stdout) text += chunk;
  return Number(text);
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The ratio of the means of what was measured in turn: other work may lengthen any of the times. */
export const ratioOf = (whole: readonly number[], part: readonly number[]): number => mean(whole) / mean(part);
