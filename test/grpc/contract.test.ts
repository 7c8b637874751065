// Tests that the running server speaks the contract as its files say it: loaded afresh, by field names.

import { fileURLToPath } from 'node:url';
import { credentials, loadPackageDefinition, Metadata, type ServiceError } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { expect } from 'chai';
import { GrpcScene } from '../support/grpc-scene.js';
import { ISSUER_TOKEN } from '../support/processes.js';

const PROTO = fileURLToPath(new URL('../../../proto', import.meta.url));
const FILES = ['auth/v1/auth_service.proto', 'auth/v1/issuer_service.proto'];

type Message = Record<string, unknown>;
type Method = (
  request: Message,
  metadata: Metadata,
  done: (error: ServiceError | null, answer: Message) => void,
) => void;
type Client = Record<string, Method> & { close(): void };
type Service = new (address: string, creds: unknown) => Client;

/** Every field of the contract by number, and every problem: what outside clients are built on. */
const MESSAGES: Readonly<Record<string, readonly string[]>> = {
  TokenPair: ['access_token', 'refresh_token', 'access_expires_at', 'refresh_expires_at', 'session_id'],
  RefreshTokenRequest: ['refresh_token'],
  RefreshTokenResponse: ['tokens'],
  LogoutRequest: ['access_token', 'refresh_token', 'all_sessions'],
  LogoutResponse: [],
  ValidateTokenRequest: ['access_token', 'include_claims'],
  ValidateTokenResponse: [
    ...['active', 'problem', 'subject', 'session_id', 'token_id', 'issued_at', 'expires_at', 'issuer', 'audience'],
    'claims',
  ],
  ValidateTokensRequest: ['access_tokens', 'include_claims'],
  ValidateTokensResponse: ['results'],
  ValidateTokensResult: ['validation', 'cannot_tell'],
  IntrospectTokenRequest: ['token', 'jwt_audience'],
  IntrospectTokenResponse: ['active', 'problem', 'response', 'jwt'],
  GetJsonWebKeySetRequest: [],
  GetJsonWebKeySetResponse: ['keys', 'max_age_seconds'],
  WatchRevocationsRequest: ['start', 'ping'],
  Start: [],
  Ping: ['id', 'urgent'],
  WatchRevocationsResponse: ['settings', 'keys', 'shards', 'revocations', 'caught_up', 'pong'],
  Settings: ['issuer', 'audience', 'access_ttl_seconds', 'session_max_seconds', 'shards'],
  KeySet: ['keys'],
  ShardState: ['shard', 'complete_since_ms', 'born_ms', 'adopted_since_ms'],
  Revocation: ['shard', 'session_id', 'subject', 'doubtful_session_id', 'doubtful_subject', 'at_ms'],
  SubjectCutOff: ['subject', 'not_before_ms'],
  Pong: ['id', 'store_time_ms', 'uncovered'],
  JsonWebKey: ['kty', 'use', 'alg', 'kid', 'crv', 'x', 'y', 'n', 'e'],
  IssueTokenRequest: ['subject', 'claims', 'client_id', 'scope'],
  IssueTokenResponse: ['tokens'],
  RevokeSubjectRequest: ['subject'],
  RevokeSubjectResponse: [],
};
const PROBLEMS = [
  ...['UNSPECIFIED', 'MALFORMED', 'BAD_SIGNATURE', 'UNKNOWN_KEY', 'WRONG_TYPE', 'MISSING_CLAIM', 'EXPIRED'],
  ...['NOT_YET_VALID', 'WRONG_ISSUER', 'WRONG_AUDIENCE', 'REVOKED', 'REUSED'],
];

describe('the contract', () => {
  const definition = loadSync(FILES, {
    includeDirs: [PROTO],
    keepCase: true,
    longs: Number,
    enums: String,
    defaults: true,
    oneofs: true,
  });
  const { AuthService, IssuerService } = (
    loadPackageDefinition(definition) as unknown as { auth: { v1: Record<string, Service> } }
  ).auth.v1;
  let scene: GrpcScene;
  let clients: Client[];

  before(async () => {
    scene = await GrpcScene.start();
    clients = [AuthService, IssuerService].map((service) => {
      if (!service) throw new Error('the contract lacks a service');
      return new service(scene.address, credentials.createInsecure());
    });
  });
  after(async () => {
    for (const client of clients) client.close();
    await scene.stop();
  });

  const call = (at: 0 | 1, method: string, request: Message): Promise<Message> =>
    new Promise((resolve, reject) => {
      const metadata = new Metadata();
      metadata.set('authorization', `Bearer ${ISSUER_TOKEN}`);
      clients[at]?.[method]?.(request, metadata, (error, answer) => (error ? reject(error) : resolve(answer)));
    });

  it('has its messages, fields and numbers as they were promised', () => {
    for (const [name, fields] of Object.entries(MESSAGES)) {
      const { type } = definition[`auth.v1.${name}`] as unknown as {
        type: { field: { name: string; number: number }[] };
      };
      const found = type.field.map(({ name: field, number }) => `${number} ${field}`);
      expect(found, name).to.deep.equal(fields.map((field, index) => `${index + 1} ${field}`));
    }
  });

  it('has its problems as they were promised', () => {
    const { type } = definition['auth.v1.TokenProblem'] as unknown as { type: { value: { name: string }[] } };
    expect(type.value.map(({ name }) => name)).to.deep.equal(PROBLEMS.map((name) => `TOKEN_PROBLEM_${name}`));
  });

  it('is spoken by the server, every RPC of it', async () => {
    const claims = { fields: { role: { stringValue: 'admin' } } };
    const { tokens } = (await call(1, 'IssueToken', { subject: 'alice', claims })) as { tokens: Message };
    expect(tokens).to.have.all.keys(...(MESSAGES['TokenPair'] ?? []));
    const { access_token, refresh_token } = tokens;

    const valid = await call(0, 'ValidateToken', { access_token, include_claims: true });
    expect(valid).to.deep.include({
      active: true,
      problem: 'TOKEN_PROBLEM_UNSPECIFIED',
      subject: 'alice',
      audience: [],
    });
    expect(valid['session_id']).to.equal(tokens['session_id']);
    expect(valid['expires_at']).to.equal(tokens['access_expires_at']);
    expect(valid['token_id']).to.equal(`a${tokens['session_id']}.0`);
    expect(valid['claims']).to.deep.nested.include({ 'fields.role.stringValue': 'admin' });

    const many = await call(0, 'ValidateTokens', { access_tokens: [access_token, 'nonsense'], include_claims: true });
    const [first, second] = many['results'] as Message[];
    expect(first?.['validation']).to.deep.equal(valid);
    expect(second).to.deep.nested.include({ result: 'validation', 'validation.problem': 'TOKEN_PROBLEM_MALFORMED' });

    const introspected = await call(0, 'IntrospectToken', { token: refresh_token, jwt_audience: 'orders' });
    expect(introspected).to.deep.include({ active: true, problem: 'TOKEN_PROBLEM_UNSPECIFIED', jwt: '' });
    expect(introspected['response']).to.deep.nested.include({ 'fields.token_use.stringValue': 'refresh' });

    const { tokens: next } = (await call(0, 'RefreshToken', { refresh_token })) as { tokens: Message };
    expect(next['session_id']).to.equal(tokens['session_id']);
    expect(await call(0, 'Logout', { access_token: next['access_token'] })).to.deep.equal({});
    const ended = await call(0, 'ValidateToken', { access_token: next['access_token'], include_claims: true });
    expect(ended).to.deep.include({ active: false, problem: 'TOKEN_PROBLEM_REVOKED', subject: '', session_id: '' });
    expect(ended['claims']).to.equal(null);
    expect(await call(1, 'RevokeSubject', { subject: 'alice' })).to.deep.equal({});
    expect(await call(0, 'GetJsonWebKeySet', {})).to.deep.equal({ keys: [], max_age_seconds: 0 });
  });
});
