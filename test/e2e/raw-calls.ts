// The calls that tests write byte by byte: what no generated client would send, and reflection as grpcurl asks it.

import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { CallFailed, failureOf } from '../support/auth-client.js';
import { ISSUER_TOKEN } from '../support/processes.js';

/** `list_services` of grpc.reflection.v1.ServerReflectionRequest: field 7, with any text. */
const LIST = Buffer.from([0x3a, 0x01, 0x2a]);
const same = (bytes: Buffer): Buffer => bytes;
const deadline = (): { deadline: number } => ({ deadline: Date.now() + 30_000 });

async function withClient<T>(address: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client(address, credentials.createInsecure());
  try {
    return await work(client);
  } finally {
    client.close();
  }
}

/** The full names of the services that a server lists, in order. */
export async function listServices(address: string, version: 'v1' | 'v1alpha' = 'v1'): Promise<string[]> {
  const path = `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`;
  const answer = await withClient(
    address,
    (client) =>
      new Promise<Buffer>((resolve, reject) => {
        const stream = client.makeBidiStreamRequest(path, same, same, deadline());
        stream.on('data', resolve).on('error', reject);
        stream.write(LIST);
        stream.end();
      }),
  );
  return (
    answer
      .toString('latin1')
      .match(/[a-z0-9]+(\.[a-z0-9]+)+\.[A-Z]\w+/g)
      ?.sort() ?? []
  );
}

/** A field of a message: its number, under 16, and its bytes, at most 127. */
export const encoded = (number: number, ...content: readonly (Buffer | string)[]): Buffer => {
  const bytes = Buffer.concat(content.map((each) => Buffer.from(each)));
  return Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
};

/** IssueToken with a request's bytes. @throws CallFailed */
export function issueRaw(address: string, request: Buffer): Promise<Buffer> {
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${ISSUER_TOKEN}`);
  return withClient(
    address,
    (client) =>
      new Promise((resolve, reject) => {
        const done = (error: ServiceError | null, answer?: Buffer): void =>
          error ? reject(new CallFailed(failureOf(error))) : resolve(answer ?? Buffer.alloc(0));
        client.makeUnaryRequest('/auth.v1.IssuerService/IssueToken', same, same, request, metadata, deadline(), done);
      }),
  );
}
