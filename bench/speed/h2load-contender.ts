// How a server takes part in a contest with h2load for its client, which sends one message and reads no answer.

import { credentials } from '@grpc/grpc-js';
import {
  AuthServiceClient,
  ValidateTokenRequest,
  ValidateTokenResponse,
} from '../../proto/gen/auth/v1/auth_service.js';
import { h2load } from '../load/h2load.js';
import { familyOf } from '../machine/usage.js';
import type { Child } from '../servers/child.js';
import type { Contender, Ran } from './contest.js';
import type { Lab } from './lab.js';

export interface Asked {
  readonly name: string;
  readonly server: Child;
  readonly storePid: number | undefined;
  /** A ValidateTokenRequest, and the ValidateTokenResponse that it must get. */
  readonly message: Uint8Array;
  readonly expected: Uint8Array;
}

const FIRST_CALLS_A_MS = 5;

/** One call of the generated client. */
function ask({ server, message }: Asked): Promise<Uint8Array> {
  const client = new AuthServiceClient(`${server.host}:${server.port}`, credentials.createInsecure());
  return new Promise<Uint8Array>((resolve, reject) => {
    client.validateToken(ValidateTokenRequest.decode(message), (error, answer) =>
      error ? reject(error) : resolve(ValidateTokenResponse.encode(answer).finish()),
    );
  }).finally(() => client.close());
}

/** @throws Error if the server does not answer rightly */
async function check(asked: Asked): Promise<void> {
  const answer = await ask(asked);
  if (!Buffer.from(answer).equals(asked.expected)) throw new Error(`${asked.name}: the answer is not the expected one`);
}

/** Before and after each run an answer is looked at. */
export function enterByH2load({ sizes: { connections, streams } }: Lab, asked: Asked): Contender {
  const { name, server, storePid, message } = asked;
  let callsAMs = FIRST_CALLS_A_MS;
  return {
    name,
    pids: () => familyOf(server.pid),
    helpers: () => [process.pid, ...(storePid === undefined ? [] : [storePid])],
    complaints: () => server.complaints(),
    ready: () => check(asked),
    run: async (ms): Promise<Ran> => {
      const calls = Math.ceil(callsAMs * ms);
      const url = `http://${server.host}:${server.port}/auth.v1.AuthService/ValidateToken`;
      const ran = await h2load({ url, message, connections, streams, calls });
      callsAMs = calls / ran.tookMs;
      await check(asked);
      return { ...ran, calls, wrong: calls - ran.answered, refused: 0 };
    },
  };
}
