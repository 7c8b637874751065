// The metrics of the process and of Node, under the names that Prometheus' clients use.
//
// prom-client has them too, with a listener for garbage collection that costs a busy process up to a twentieth of its
// processor time, and that cannot be left out.

import { readdirSync, readFileSync } from 'node:fs';
import { GaugeRecorder, type Recorder } from './recorders.js';

const MICROSECONDS = 1e6;

/** Read at each collection. A metric that this system does not have is left out. */
export function nodeMetrics(): readonly (readonly [name: string, recorder: Recorder])[] {
  const counter = (name: string, help: string, read: () => number): [string, Recorder] => [
    name,
    new GaugeRecorder({ name, help, merge: 'sum', type: 'counter' }, read),
  ];
  const gauge = (name: string, help: string, read: () => number | undefined): [string, Recorder] => [
    name,
    new GaugeRecorder({ name, help, merge: 'sum' }, read),
  ];
  const first = (name: string, help: string, read: () => number | undefined): [string, Recorder] => [
    name,
    new GaugeRecorder({ name, help, merge: 'first' }, read),
  ];
  const version = { version: process.version };
  return [
    counter('process_cpu_user_seconds_total', 'Processor time in user mode', () => cpuSeconds().user),
    counter('process_cpu_system_seconds_total', 'Processor time in the kernel', () => cpuSeconds().system),
    counter('process_cpu_seconds_total', 'Processor time', () => cpuSeconds().user + cpuSeconds().system),
    first('process_start_time_seconds', 'Start of the process, Unix time', () => performance.timeOrigin / 1000),
    gauge('process_resident_memory_bytes', 'Resident memory', () => process.memoryUsage.rss()),
    gauge('process_open_fds', 'Open file descriptors', openDescriptors),
    first('process_max_fds', 'The most file descriptors', mostDescriptors),
    gauge('nodejs_heap_size_total_bytes', 'Size of the heap', () => process.memoryUsage().heapTotal),
    gauge('nodejs_heap_size_used_bytes', 'Used part of the heap', () => process.memoryUsage().heapUsed),
    gauge('nodejs_external_memory_bytes', 'Memory outside of the heap', () => process.memoryUsage().external),
    [
      'nodejs_version_info',
      new GaugeRecorder({ name: 'nodejs_version_info', help: 'The version of Node', merge: 'first' }, () => 1, version),
    ],
  ];
}

function cpuSeconds(): { readonly user: number; readonly system: number } {
  const { user, system } = process.cpuUsage();
  return { user: user / MICROSECONDS, system: system / MICROSECONDS };
}

/** Undefined where there is no /proc. */
function openDescriptors(): number | undefined {
  try {
    // One of them is open only to read this folder.
    return readdirSync('/proc/self/fd').length - 1;
  } catch {
    return undefined;
  }
}

function mostDescriptors(): number | undefined {
  try {
    const [, most] = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return most === undefined ? undefined : Number(most);
  } catch {
    return undefined;
  }
}
