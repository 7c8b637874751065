// A preload that records which functions of the project a process calls, by V8's precise coverage.

import { renameSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { setFlagsFromString } from 'node:v8';

const { FLOW_COVERAGE: file = '' } = process.env;
// V8 does not count the calls of a function that it has inlined.
setFlagsFromString('--no-opt');
setFlagsFromString('--no-maglev');

const session = new Session();
session.connect();
session.post('Profiler.enable');
session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });

let isRecording = false;
// Timers that fire every few milliseconds are no part of a call: they pause while one is recorded.
const { setInterval: set } = globalThis;
globalThis.setInterval = ((run: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) =>
  set(() => isRecording || run(...args), ms)) as typeof setInterval;

/** The first of two signals begins a record, the second one ends it. Each is answered with the file, at first empty. */
process.on('SIGUSR2', () => {
  session.post('Profiler.takePreciseCoverage', (error, coverage) => {
    if (error) throw error;
    const scripts = isRecording ? coverage.result.filter(({ url }) => /\/dist\/(?:src|gateway)\//.test(url)) : [];
    isRecording = !isRecording;
    writeFileSync(`${file}.part`, JSON.stringify(scripts));
    renameSync(`${file}.part`, file);
  });
});
