// Chains of refreshes: each call spends the token that the one before it was answered, as clients do.

import { RefreshTokenRequest, RefreshTokenResponse } from '../../proto/gen/auth/v1/auth_service.js';
import type { CallSource, Prepare } from './call.js';
import type { Answers, ChainedWork, Route } from './work.js';

/** The next token, or nothing if the answer is not as it must be. */
type Successor = (answer: Buffer, token: string) => string | undefined;

function successorOf(answers: Answers): Successor {
  if (answers.kind === 'canned') {
    const { bytes } = answers;
    return (answer, token) => (answer.equals(bytes) ? token : undefined);
  }
  const read = answers.kind === 'pairs' ? fromPair : fromJson;
  return (answer, token) => {
    const next = read(answer);
    return next !== '' && next !== token ? next : undefined;
  };
}

function fromPair(answer: Buffer): string {
  const { tokens } = RefreshTokenResponse.decode(answer);
  return tokens?.accessToken ? tokens.refreshToken : '';
}

function fromJson(answer: Buffer): string {
  const { access, refresh } = JSON.parse(answer.toString('utf8')) as { access?: unknown; refresh?: unknown };
  return typeof access === 'string' && access !== '' && typeof refresh === 'string' ? refresh : '';
}

/** A session whose refresh has failed takes no more part: the run is a failure already. One that was refused tries again. */
export function chained({ refreshTokens, answers }: ChainedWork, { protocol }: Route, prepare: Prepare): CallSource {
  const successor = successorOf(answers);
  const encode = (refreshToken: string): Uint8Array =>
    protocol === 'grpc'
      ? RefreshTokenRequest.encode({ refreshToken }).finish()
      : Buffer.from(JSON.stringify({ refresh: refreshToken }));
  const tokens = [...refreshTokens];
  // A ring, for a row that is taken from at its front is slow when it is long: there is room for all, and never more.
  let [front, back] = [0, 0];
  return () => {
    // All are under way, or have failed. There must be more sessions than calls at once.
    if (front === back + tokens.length) return undefined;
    const token = tokens[front++ % tokens.length] ?? '';
    return {
      prepared: prepare(encode(token)),
      accepts: (answer) => {
        const next = successor(answer, token);
        if (next === undefined) return false;
        tokens[back++ % tokens.length] = next;
        return true;
      },
      refused: () => {
        tokens[back++ % tokens.length] = token;
      },
    };
  };
}
