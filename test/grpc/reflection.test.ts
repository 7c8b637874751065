// Owns the proof that grpcurl and its like find the whole contract on the running server, in both versions of reflection.

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type ClientDuplexStream, credentials, loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { expect } from 'chai';
import { GrpcScene } from '../support/grpc-scene.js';

const PROTOS = join(dirname(createRequire(import.meta.url).resolve('@grpc/reflection')), '../proto');

interface Answer {
  readonly list_services_response?: { readonly service: readonly { readonly name: string }[] };
  readonly file_descriptor_response?: { readonly file_descriptor_proto: readonly Buffer[] };
  readonly error_response?: { readonly error_message: string };
}
type Stream = ClientDuplexStream<Record<string, string>, Answer>;
type Reflection = new (address: string, creds: unknown) => { ServerReflectionInfo(): Stream; close(): void };

for (const version of ['v1', 'v1alpha']) {
  describe(`reflection ${version}`, () => {
    let scene: GrpcScene;
    let client: InstanceType<Reflection>;
    let stream: Stream;

    before(async () => {
      scene = await GrpcScene.start();
      const definition = loadSync(`grpc/reflection/${version}/reflection.proto`, {
        includeDirs: [PROTOS],
        keepCase: true,
      });
      const loaded = loadPackageDefinition(definition) as unknown as {
        grpc: { reflection: Record<string, { ServerReflection: Reflection }> };
      };
      const service = loaded.grpc.reflection[version];
      if (!service) throw new Error('no such version');
      client = new service.ServerReflection(scene.address, credentials.createInsecure());
      stream = client.ServerReflectionInfo();
      stream.on('error', () => {});
    });
    after(async () => {
      stream.end();
      client.close();
      await scene.stop();
    });

    const ask = (question: Record<string, string>): Promise<Answer> =>
      new Promise((resolve) => {
        stream.once('data', resolve);
        stream.write(question);
      });

    it('lists the services', async () => {
      const { list_services_response: list } = await ask({ list_services: '*' });
      const names = list?.service.map(({ name }) => name);
      expect(names).to.include.members(['auth.v1.AuthService', 'auth.v1.IssuerService', 'grpc.health.v1.Health']);
    });

    it('gives a service with its comments and everything that it imports', async () => {
      const { file_descriptor_response: files } = await ask({ file_containing_symbol: 'auth.v1.AuthService' });
      const texts = (files?.file_descriptor_proto ?? []).map((bytes) => Buffer.from(bytes).toString('latin1'));
      for (const name of ['auth/v1/auth_service.proto', 'auth/v1/token.proto', 'google/protobuf/struct.proto']) {
        expect(
          texts.some((text) => text.slice(0, 60).includes(name)),
          name,
        ).to.equal(true);
      }
      expect(texts.join('')).to.include('Ends the session of a token');
    });

    it('gives the messages of the error details, and says what it does not know', async () => {
      const { file_descriptor_response: files } = await ask({ file_containing_symbol: 'google.rpc.ErrorInfo' });
      expect(files?.file_descriptor_proto).to.not.equal(undefined);
      const { error_response: error } = await ask({ file_containing_symbol: 'auth.v1.Nothing' });
      expect(error?.error_message).to.include('auth.v1.Nothing');
    });
  });
}
