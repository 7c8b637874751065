// A process with a validator by the feed, which closes it, and then must end by itself.

import { createValidator } from '../../src/validator/index.js';
import { elapse } from '../support/waiting.js';

const [address = '', when = ''] = process.argv.slice(2);
const validator = createValidator({ address, source: 'feed', deadline: '10s' });
// `close` rejects these at once.
const waiting = [
  validator.validate('a.b.c'),
  validator.validate('a.b.c', { consistency: 'strict' }),
  validator.ready(),
];
const settled = Promise.allSettled(waiting);
if (when === 'when it follows') {
  await validator.ready();
  if (validator.state().feed !== 'following') throw new Error('it does not follow');
}
if (when === 'while it connects') await elapse(300, 'it connects');
await validator.close();
await settled;
process.stdout.write(`${validator.state().feed}\n`);
