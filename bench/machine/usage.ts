// The processor time and the memory of processes, as the system reports them.
// Linux shows them as files; elsewhere they are missing, and shown so.

import { readFileSync } from 'node:fs';

/** Linux counts in hundredths of a second (`getconf CLK_TCK`). */
const TICK_MS = 10;
const KIB = 1024;

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

/** Processor time that a process has used so far, ms. */
export function cpuMsOf(pid: number): number {
  // After the name, which may hold anything: the 12th and 13th field are the times in user and system mode.
  const fields = read(`/proc/${pid}/stat`).split(') ').at(-1)?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** Processor time that this process has used so far, ms. */
export function ownCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Memory of a process that is in use now, MiB. */
export const memoryMiBOf = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(read(`/proc/${pid}/status`))?.[1] ?? Number.NaN) / KIB;

/** Processor time that everything on this machine has used so far, ms. */
export function cpuMsOfAll(): number {
  const [user, nice, system, , , irq, softIrq] = (/^cpu +(.*)$/m.exec(read('/proc/stat'))?.[1] ?? '')
    .split(' ')
    .map(Number);
  return [user, nice, system, irq, softIrq].reduce((sum: number, ticks) => sum + (ticks ?? Number.NaN), 0) * TICK_MS;
}

/** A process and all that it has started. */
export function familyOf(pid: number): number[] {
  const children = read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);
  return [pid, ...children.flatMap(familyOf)];
}
