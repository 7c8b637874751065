// The bare HTTP server that the gateway is measured against: fastify, one bare gRPC call, the same bodies.

import { credentials } from '@grpc/grpc-js';
import { fastify } from 'fastify';
import { AuthServiceClient, type RefreshTokenResponse } from '../../proto/gen/auth/v1/auth_service.js';

const client = new AuthServiceClient(process.argv[2] ?? '', credentials.createInsecure());
const app = fastify();

const refresh = (refreshToken: string): Promise<RefreshTokenResponse> =>
  new Promise((resolve, reject) => {
    client.refreshToken({ refreshToken }, (error, answer) => (error ? reject(error) : resolve(answer)));
  });

app.post<{ Body: { refresh: string } }>('/api/auth/token/refresh/', async (request) => {
  const { tokens } = await refresh(request.body.refresh);
  return { access: tokens?.accessToken, refresh: tokens?.refreshToken };
});

const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }));
process.stdout.write(`${JSON.stringify({ msg: 'rest listening', address: '127.0.0.1', port: Number(port) })}\n`);
process.once('SIGTERM', () => process.exit());
