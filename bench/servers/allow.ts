// A bare server of Envoy's external authorization that always allows: grpc-js, and one answer, encoded before the start.

import { type handleUnaryCall, type MethodDefinition, Server, ServerCredentials } from '@grpc/grpc-js';
import { AuthorizationService } from '../../proto/gen/envoy/service/auth/v3/external_auth.js';

const same = (bytes: Buffer): Buffer => bytes;
/** Neither decodes the request nor encodes the response: their bytes are handed on. */
const check: MethodDefinition<Buffer, Buffer> = {
  ...AuthorizationService.check,
  requestSerialize: same,
  requestDeserialize: same,
  responseSerialize: same,
  responseDeserialize: same,
};

const answer = Buffer.from(process.argv[2] ?? '', 'base64');
const allow: handleUnaryCall<Buffer, Buffer> = (_, callback) => callback(null, answer);

const server = new Server();
server.addService({ check }, { check: allow });
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  process.stdout.write(`${JSON.stringify({ msg: 'allow listening', address: '127.0.0.1', port })}\n`);
});
process.once('SIGTERM', () => process.exit());
