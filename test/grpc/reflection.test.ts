// The proof that grpcurl and its like find the whole contract on the running server, in both versions of reflection.

import { type ClientDuplexStream, credentials, makeGenericClientConstructor, status } from '@grpc/grpc-js';
import { expect } from 'chai';
import {
  type ServerReflectionRequest,
  type ServerReflectionResponse,
  ServerReflectionService,
} from '../../proto/gen/grpc/reflection/v1/reflection.js';
import { Admission } from '../../src/grpc/admission/admission.js';
import { Descriptors } from '../../src/grpc/services/descriptors.js';
import { Reflection } from '../../src/grpc/services/reflection.js';
import type { StreamingCall, StreamingHandler } from '../../src/grpc/transport/method.js';
import { Routes } from '../../src/grpc/transport/routes.js';
import { createLogger } from '../../src/platform/log.js';
import { GrpcScene } from '../support/grpc-scene.js';

type Stream = ClientDuplexStream<Partial<ServerReflectionRequest>, ServerReflectionResponse>;

for (const version of ['v1', 'v1alpha']) {
  describe(`reflection ${version}`, () => {
    let scene: GrpcScene;
    let close: () => void;
    let stream: Stream;

    before(async () => {
      scene = await GrpcScene.start();
      const { serverReflectionInfo: method } = ServerReflectionService;
      const path = method.path.replace('.v1.', `.${version}.`);
      const Client = makeGenericClientConstructor({ info: { ...method, path } }, 'ServerReflection');
      const client = new Client(scene.address, credentials.createInsecure());
      stream = (client['info'] as () => Stream).call(client);
      stream.on('error', () => {});
      close = () => client.close();
    });
    after(async () => {
      stream.end();
      close();
      await scene.stop();
    });

    const ask = (question: Partial<ServerReflectionRequest>): Promise<ServerReflectionResponse> =>
      new Promise((resolve) => {
        stream.once('data', resolve);
        stream.write({ host: '', ...question });
      });

    it('lists the services', async () => {
      const { listServicesResponse: list, originalRequest } = await ask({ listServices: '*' });
      const names = list?.service.map(({ name }) => name);
      expect(names).to.deep.equal(['auth.v1.AuthService', 'auth.v1.IssuerService', 'grpc.health.v1.Health']);
      expect(originalRequest?.listServices).to.equal('*');
    });

    it('gives a service with its comments and everything that it imports', async () => {
      const { fileDescriptorResponse: files } = await ask({ fileContainingSymbol: 'auth.v1.AuthService' });
      const texts = (files?.fileDescriptorProto ?? []).map((bytes) => bytes.toString('latin1'));
      for (const name of ['auth/v1/auth_service.proto', 'auth/v1/token.proto', 'google/protobuf/struct.proto']) {
        expect(
          texts.some((text) => text.slice(0, 60).includes(name)),
          name,
        ).to.equal(true);
      }
      expect(texts.join('')).to.include('Ends the session of a token');
    });

    it('finds files by name, and by a method, a field, a value of an enum and a nested type', async () => {
      for (const symbol of [
        'auth.v1.AuthService.ValidateToken',
        'auth.v1.TokenPair.access_token',
        'auth.v1.TokenProblem.TOKEN_PROBLEM_EXPIRED',
        'grpc.health.v1.HealthCheckResponse.ServingStatus',
        'google.protobuf.Struct.FieldsEntry',
      ]) {
        const { fileDescriptorResponse: files } = await ask({ fileContainingSymbol: symbol });
        expect(files?.fileDescriptorProto.length, symbol).to.be.above(0);
      }
      const { fileDescriptorResponse: file } = await ask({ fileByFilename: 'auth/v1/token.proto' });
      expect(file?.fileDescriptorProto).to.have.length(1);
    });

    it('gives the messages of the error details, and says what it does not know', async () => {
      const { fileDescriptorResponse: files } = await ask({ fileContainingSymbol: 'google.rpc.ErrorInfo' });
      expect(files?.fileDescriptorProto).to.not.equal(undefined);
      for (const question of [
        { fileContainingSymbol: 'auth.v1.Nothing' },
        { fileByFilename: 'nothing.proto' },
        { allExtensionNumbersOfType: 'auth.v1.Nothing' },
        { fileContainingExtension: { containingType: 'auth.v1.Nothing', extensionNumber: 1 } },
      ]) {
        const { errorResponse: error } = await ask(question);
        expect(error?.errorCode).to.equal(status.NOT_FOUND);
        expect(error?.errorMessage).to.match(/nothing/i);
      }
      const { allExtensionNumbersResponse: none } = await ask({ allExtensionNumbersOfType: 'auth.v1.TokenPair' });
      expect(none).to.deep.equal({ baseTypeName: 'auth.v1.TokenPair', extensionNumber: [] });
    });
  });
}

describe('a reflection whose descriptors cannot be read', () => {
  it('keeps no place of a call for its failures', async () => {
    const log = createLogger({ level: 'silent', name: 'test' });
    const admission = new Admission(log, { maxConcurrentCalls: 1 });
    const routes = new Routes();
    // The length of its first field is more than it has.
    const broken = new Descriptors(Buffer.from([0x0a, 0x7f]));
    new Reflection(admission, undefined, broken).addTo(routes, []);
    const handler = routes.all.get(ServerReflectionService.serverReflectionInfo.path)?.handler as StreamingHandler<
      unknown,
      unknown
    >;
    const call = { read: async () => ({ host: '', fileContainingSymbol: 'auth.v1.AuthService' }) };
    for (let time = 0; time < 2; time++) {
      const failure = await handler(call as unknown as StreamingCall<unknown, unknown>).catch((error: Error) => error);
      expect(failure).to.be.an.instanceOf(RangeError);
      // A call that has ended keeps its place until the end of the turn.
      await new Promise(setImmediate);
      expect(admission.underWay).to.equal(0);
    }
  });
});
