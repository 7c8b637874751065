// The least that a refresh must do, to see what the service does beyond it.
// One signature checked, one read shared with the calls of the same turn, two tokens signed, one swap. No rule is
// applied, nothing is logged, bounded or remembered.

import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js';
import { Redis } from 'ioredis';
import type { RefreshTokenRequest, RefreshTokenResponse } from '../../proto/gen/auth/v1/auth_service.js';
import type { TokenPair } from '../../proto/gen/auth/v1/token.js';
import { JwtKeys } from '../../src/adapters/jwt/jwt-keys.js';
import { loadKeys } from '../../src/adapters/jwt/key-files.js';
import { keyFromSecret } from '../../src/adapters/jwt/signing-key.js';
import { APPLIED, COMPARE_AND_SET } from '../../src/adapters/redis/compare-and-set-script.js';
import { birthName, entryName, shardOf } from '../../src/adapters/redis/keys.js';
import { type RawValue, ReadBatch } from '../../src/adapters/redis/read-batch.js';
import { READ } from '../../src/adapters/redis/read-script.js';
import { evaluate } from '../../src/adapters/redis/script.js';
import type { SessionId } from '../../src/core/token/session-id.js';
import { AUTH_SERVICE } from '../../src/grpc/codec/encoding.js';

/** Seconds. */
const ACCESS_TTL = 12 * 60 * 60;
const REFRESH_TTL = 7 * 24 * 60 * 60;
const BUDGET_MS = 1_000;

interface Settings {
  readonly redisUrl: string;
  /** One of the two. */
  readonly secret?: string;
  readonly keysDir?: string;
}

const { redisUrl, secret, keysDir = '' } = JSON.parse(process.argv[2] ?? '{}') as Settings;
const key = secret === undefined ? (await loadKeys(keysDir))[0].key : keyFromSecret(secret);
const keys = new JwtKeys(key);
const redis = new Redis(redisUrl);
const reads = new ReadBatch((names) => evaluate(redis, READ, { keys: names }) as Promise<readonly RawValue[]>);

async function refresh(token: string): Promise<TokenPair> {
  const claims = keys.verify(token).payload as { sub: string; sid: SessionId; gen: number };
  const { sub: subject, sid: sessionId } = claims;
  const bornName = birthName(shardOf(subject));
  const cutOffName = entryName({ kind: 'not-before', subject });
  const name = entryName({ kind: 'session', subject, sessionId });
  const [, , standing] = await reads.read([bornName, cutOffName, name]);
  const [gen, iat] = [claims.gen + 1, Math.floor(Date.now() / 1000)];
  const [accessExpiresAt, refreshExpiresAt] = [iat + ACCESS_TTL, iat + REFRESH_TTL];
  const seal = (kind: 'access' | 'refresh', exp: number): string => {
    const jti = `${kind === 'access' ? 'a' : 'r'}${sessionId}.${gen}`;
    return keys.sign(kind, { token_type: kind, sub: subject, sid: sessionId, gen, jti, iat, exp }, key.kid);
  };
  const pair = { accessToken: seal('access', accessExpiresAt), refreshToken: seal('refresh', refreshExpiresAt) };
  const value = `live ${gen} ${iat} ${accessExpiresAt} ${refreshExpiresAt} ${key.kid}`;
  const args = [
    standing === undefined ? '' : `=${standing}`,
    `${Date.now() + BUDGET_MS}`,
    value,
    `${REFRESH_TTL * 1000}`,
  ];
  const [outcome] = (await evaluate(redis, COMPARE_AND_SET, { keys: [name, bornName], args })) as readonly unknown[];
  if (outcome !== APPLIED) throw new Error('another call has come between');
  return { ...pair, accessExpiresAt, refreshExpiresAt, sessionId };
}

const server = new Server();
server.addService(
  { refreshToken: AUTH_SERVICE.refreshToken },
  {
    refreshToken: (
      call: ServerUnaryCall<RefreshTokenRequest, RefreshTokenResponse>,
      callback: sendUnaryData<RefreshTokenResponse>,
    ) => {
      refresh(call.request.refreshToken).then(
        (tokens) => callback(null, { tokens }),
        (error: Error) => callback(error),
      );
    },
  },
);
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  process.stdout.write(`${JSON.stringify({ msg: 'least listening', address: '127.0.0.1', port })}\n`);
});
process.once('SIGTERM', () => {
  server.forceShutdown();
  redis.disconnect();
});
