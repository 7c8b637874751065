// The fastify route that the guard of latchkey/validator is measured on: guarded by the service at an address, or bare.

import { fastify } from 'fastify';
import { bearerAuth } from '../../src/middleware/fastify.js';
import { createValidator } from '../../src/validator/create-validator.js';

const [address] = process.argv.slice(2);
const app = fastify();
if (address !== undefined) {
  const validator = createValidator({ address });
  await validator.ready();
  await app.register(bearerAuth, { validator });
}
app.get('/orders', async () => ({ orders: [] }));

const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }));
process.stdout.write(`${JSON.stringify({ msg: 'shop listening', address: '127.0.0.1', port: Number(port) })}\n`);
process.once('SIGTERM', () => process.exit());
