// Owns the proof that a call of ours ends as one of the library's client does, however it ends.

import {
  Channel,
  Client,
  credentials,
  Metadata,
  Server,
  ServerCredentials,
  type ServerWritableStream,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { expect } from 'chai';
import { callUnary, errorOf, type Method } from '../../gateway/unary-call.js';

const UNREADABLE = 'unreadable';

const GET: Method<string, string> = {
  path: '/test.Test/Get',
  requestSerialize: (text) => Buffer.from(text),
  responseDeserialize: (bytes) => {
    if (bytes.toString() === UNREADABLE) throw new Error('not to be read');
    return bytes.toString();
  },
};

/** A stream on the server's side, so that it can send as many messages as it should not. */
const ON_SERVER = {
  ...GET,
  requestStream: false,
  responseStream: true,
  requestDeserialize: (bytes: Buffer) => bytes.toString(),
  responseSerialize: (text: string) => Buffer.from(text),
};

const send =
  (...answers: readonly string[]) =>
  (call: ServerWritableStream<string, string>): void => {
    for (const answer of answers) call.write(answer);
    call.end();
  };

/** What the server does, by what it is asked for. */
const ANSWERS: Readonly<Record<string, (call: ServerWritableStream<string, string>) => void>> = {
  'an answer': send('answer'),
  'an empty answer': send(''),
  'no answer': send(),
  'an answer that cannot be read': send(UNREADABLE),
  'two answers': send('one', 'two'),
  'a failure': (call) => {
    const metadata = new Metadata();
    metadata.set('reason', 'because');
    call.emit('error', { code: status.FAILED_PRECONDITION, details: 'not now', metadata });
  },
  'a failure after the answer': (call) => {
    call.write('answer');
    call.emit('error', { code: status.ABORTED, details: 'after all' });
  },
  'nothing before the deadline': () => {},
};

/** What can be told of an end. Of a deadline's text the rest says what took how long. */
const told = (error: ServiceError | null | undefined, answer: string | undefined) => ({
  answer,
  code: error?.code,
  message: error?.message.replace(/(?<=Deadline exceeded).*/, ''),
  details: error?.details.replace(/(?<=Deadline exceeded).*/, ''),
  reason: error?.metadata.get('reason'),
});

describe('gateway: a call of the service', () => {
  let server: Server;
  let channel: Channel;
  let client: Client;
  before((done) => {
    server = new Server();
    server.addService(
      { get: ON_SERVER },
      { get: (call: ServerWritableStream<string, string>) => ANSWERS[call.request]?.(call) },
    );
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
      channel = new Channel(`127.0.0.1:${port}`, credentials.createInsecure(), {});
      client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
      done(error ?? undefined);
    });
  });
  after(() => {
    channel.close();
    client.close();
    server.forceShutdown();
  });

  const deadline = () => Date.now() + 1_000;
  const ours = (request: string) =>
    new Promise((resolve) => {
      callUnary(channel, GET, request, { metadata: new Metadata(), deadline: deadline() }, ({ failure, answer }) =>
        resolve(told(failure && errorOf(failure), answer)),
      );
    });
  const theirs = (request: string) =>
    new Promise((resolve) => {
      const { path, requestSerialize, responseDeserialize } = GET;
      const options = { deadline: deadline() };
      client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        new Metadata(),
        options,
        (error, answer) => resolve(told(error, answer)),
      );
    });

  for (const request of Object.keys(ANSWERS)) {
    it(`ends as the library's client has it: ${request}`, async () => {
      expect(await ours(request)).to.deep.equal(await theirs(request));
    });
  }
});
