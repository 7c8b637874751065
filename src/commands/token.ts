// `latchkey token issue` and `latchkey token inspect`, for debugging.

import { Metadata } from '@grpc/grpc-js';
import { AuthServiceClient, type IntrospectTokenResponse } from '../../proto/gen/auth/v1/auth_service.js';
import { TokenProblem } from '../../proto/gen/auth/v1/token.js';
import { isSessionId, sessionStartMs } from '../core/token/session-id.js';
import { Environment, formatAddress } from '../platform/env.js';
import { DEV_DATA_DIR } from '../settings/mode.js';
import { readClientTls } from '../settings/tls.js';
import { parseClaims } from './claims-text.js';
import type { CommandIo } from './command-io.js';
import { credentialsFor, DIRECT, describeFailure, type Target } from './grpc-failure.js';
import { issueToken } from './issue-token.js';
import { keptIssuerToken } from './issuer-token.js';
import { checkSettings, printWarnings } from './settings-warnings.js';
import { UsageError } from './usage.js';

const DEADLINE_MS = 2_000;

/** Starts a session, and prints its pair as JSON. */
export async function tokenIssue(io: CommandIo, subject: string, claimsText: string): Promise<void> {
  const env = new Environment(io.env);
  const service = env.address('AUTH_SERVICE_ADDRESS', '127.0.0.1:50051');
  const apart = env.address('ISSUER_ADDRESS');
  const tls = readClientTls(env);
  const credential = env.secret('ISSUER_TOKEN') ?? keptIssuerToken(env.text('DATA_DIR') ?? DEV_DATA_DIR);
  checkSettings(env);
  printWarnings(env, io);
  const setting = apart ? 'ISSUER_ADDRESS' : 'AUTH_SERVICE_ADDRESS';
  const target = { address: apart ?? service, setting, tls };
  const pair = await issueToken(target, credential, subject, parseClaims(claimsText));
  print(io, {
    access_token: pair.accessToken,
    refresh_token: pair.refreshToken,
    access_expires_at: when(pair.accessExpiresAt),
    refresh_expires_at: when(pair.refreshExpiresAt),
    session_id: pair.sessionId,
  });
}

/** Prints the content of a token, and whether the service accepts it. */
export async function tokenInspect(io: CommandIo, given: string): Promise<void> {
  const env = new Environment(io.env);
  const setting = 'AUTH_SERVICE_ADDRESS';
  const target = { address: env.address(setting, '127.0.0.1:50051'), setting, tls: readClientTls(env) };
  checkSettings(env);
  printWarnings(env, io);
  const token = (given === '-' ? await io.readInput() : given).trim();
  const [header, payload] = token.split('.', 2).map(decode);
  const claims = (payload ?? {}) as Record<string, unknown>;
  const { sid } = claims;
  print(io, {
    header,
    claims,
    times: Object.fromEntries(
      ['iat', 'nbf', 'exp'].flatMap((name) => (typeof claims[name] === 'number' ? [[name, when(claims[name])]] : [])),
    ),
    ...(isSessionId(sid) ? { session_start: new Date(sessionStartMs(sid)).toISOString() } : {}),
    verdict: await ask(target, token),
  });
}

function decode(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
  } catch {
    throw new UsageError('this is not a JWT: its first two parts must be JSON in base64url');
  }
}

/** Asks about a token of either kind. A refresh token is not traded by that. */
async function ask(target: Target, token: string): Promise<string> {
  const client = new AuthServiceClient(formatAddress(target.address), credentialsFor(target), DIRECT);
  try {
    const response = await new Promise<IntrospectTokenResponse>((resolve, reject) => {
      const request = { token, jwtAudience: '' };
      client.introspectToken(request, new Metadata(), { deadline: Date.now() + DEADLINE_MS }, (error, answer) =>
        error ? reject(error) : resolve(answer),
      );
    });
    if (response.active) return 'active';
    const name = Object.entries(TokenProblem).find(([, value]) => value === response.problem)?.[0];
    return `not active: ${name}`;
  } catch (error) {
    return `cannot tell: ${describeFailure(error, target)}`;
  } finally {
    client.close();
  }
}

const when = (seconds: number): string =>
  Number.isFinite(seconds) && Math.abs(seconds) < 8.64e12 ? new Date(seconds * 1000).toISOString() : String(seconds);

const print = (io: CommandIo, value: unknown): void => io.printResult(`${JSON.stringify(value, undefined, 2)}\n`);
