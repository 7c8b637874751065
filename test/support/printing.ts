// Loaded before the program: has it print, warn and fail as a library might, each time the process is sent SIGUSR2.

import cluster from 'node:cluster';

/** As a library has it, which no rule of style binds. */
const { console: output } = globalThis;
const SECRET = 'open-sesame';
const what = process.env['PRINT'] ?? '';

function print(): void {
  output.error(`a value: ${SECRET}`, SECRET);
  output.log('%s', SECRET);
  output.dir({ password: SECRET });
  process.stdout.write(`"${SECRET}"\n`);
  process.stderr.write(`a stream = ${SECRET}\n${SECRET}\n`);
  process.emitWarning('an old way', 'DeprecationWarning', 'OLD001');
  for (let n = 0; n < 1_000; n++) output.error(new TypeError('the same again'));
  // Kinds without end, as a peer might make them.
  for (let n = 0; n < 1_000; n++)
    output.warn(`kind ${'abcdefghij'.charAt(n % 10)}${'klmnopqrst'.charAt((n / 10) % 10)}`);
}

process.on('SIGUSR2', () => {
  if (what === 'throw') throw new Error('nothing catches this');
  if (what === 'reject') void Promise.reject(new Error('nothing takes this'));
  if (what === 'print') print();
});

// A worker, before it has a log: it waits for its primary.
if (what === 'early' && cluster.isWorker)
  process.once('internalMessage', () => setImmediate(() => output.error(`early: ${SECRET}`)));
