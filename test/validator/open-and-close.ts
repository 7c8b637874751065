// A process with a validator by the feed, which closes it, and then must end by itself.

import { subscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createValidator } from '../../src/validator/index.js';

const [address = '', when = ''] = process.argv.slice(2);
/** Resolves once the first attempt to connect has succeeded or failed. */
const attempted = new Promise<void>((resolve) => {
  subscribe('net.client.socket', (message) => {
    const { socket } = message as { socket: Socket };
    void Promise.race([once(socket, 'connect'), once(socket, 'close')]).then(
      () => resolve(),
      () => resolve(),
    );
  });
});
const validator = createValidator({ address, source: 'feed', deadline: '60s' });
// `close` rejects these at once.
const waiting = [
  validator.validate('a.b.c'),
  validator.validate('a.b.c', { consistency: 'strict' }),
  validator.ready('60s'),
];
const settled = Promise.allSettled(waiting);
if (when === 'when it follows') {
  await validator.ready();
  if (validator.state().feed !== 'following') throw new Error('it does not follow');
}
if (when === 'while it connects') await attempted;
await validator.close();
await settled;
process.stdout.write(`${validator.state().feed}\n`);
