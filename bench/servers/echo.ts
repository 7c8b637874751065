// The bare gRPC server that Latchkey is measured against: grpc-js and the generated code, and one answer a method.

import {
  type handleUnaryCall,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { AuthServiceService } from '../../proto/gen/auth/v1/auth_service.js';
import { IssuerServiceService } from '../../proto/gen/auth/v1/issuer_service.js';

/** The answers in base64, by the methods' names in the generated code. */
type Answers = Readonly<Record<string, string>>;

function implement(definition: ServiceDefinition, answers: Answers): UntypedServiceImplementation {
  const methods = Object.entries(definition).flatMap(([name, { responseDeserialize }]) => {
    const bytes = answers[name];
    if (bytes === undefined) return [];
    // The message is kept, and written anew for each call, as a handler's answer would be.
    const message: unknown = responseDeserialize(Buffer.from(bytes, 'base64'));
    const handler: handleUnaryCall<unknown, unknown> = (_, callback) => callback(null, message as object);
    return [[name, handler]];
  });
  return Object.fromEntries(methods);
}

const answers = JSON.parse(process.argv[2] ?? '{}') as Answers;
const server = new Server();
for (const definition of [AuthServiceService, IssuerServiceService]) {
  server.addService(definition, implement(definition, answers));
}
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  process.stdout.write(`${JSON.stringify({ msg: 'echo listening', address: '127.0.0.1', port })}\n`);
});
process.once('SIGTERM', () => server.forceShutdown());
