// The source of a load's calls: the calls of a piece of work in their order, each with the check of its answer.

import { IssueTokenResponse } from '../../proto/gen/auth/v1/issuer_service.js';
import type { TokenPair } from '../../proto/gen/auth/v1/token.js';
import type { Call, CallSource, Prepare } from './call.js';
import { chained } from './chained.js';
import { grpcCalls } from './frames.js';
import { bearerCalls, httpCalls } from './http-wire.js';
import type { Expected, FixedWork, IssuingWork, Route, Work } from './work.js';

function prepareFor({ protocol, path, headers, bearer = false }: Route): Prepare {
  if (protocol === 'grpc') return grpcCalls(path, headers);
  return bearer ? bearerCalls(path, headers) : httpCalls(path, headers);
}

/** @param random for messages that come by chance: numbers from 0 to below 1 */
export function callSourceOf(work: Work, random: () => number): CallSource {
  const prepare = prepareFor(work.route);
  if (work.kind === 'chained') return chained(work, work.route, prepare);
  return work.kind === 'issuing' ? issuing(work, prepare) : fixed(work, prepare, random);
}

const accepting =
  ({ bytes, whole }: Expected) =>
  (answer: Buffer): boolean =>
    answer.subarray(0, whole ? answer.length : bytes.length).equals(bytes);

function fixed({ messages, expected, order }: FixedWork, prepare: Prepare, random: () => number): CallSource {
  if (expected.length !== 1 && expected.length !== messages.length) throw new Error('each message needs an answer');
  const judges = expected.map(accepting);
  const [first] = judges;
  const calls = messages.map((message, at): Call => {
    const accepts = judges.length === 1 ? first : judges[at];
    if (!accepts) throw new Error('there is no answer to wait for');
    return { prepared: prepare(message), accepts };
  });
  let sent = 0;
  return () => {
    if (order === 'random') return calls[Math.floor(random() * calls.length)];
    return calls[order === 'once' ? sent++ : sent++ % calls.length];
  };
}

const isPair = (tokens: TokenPair | undefined): tokens is TokenPair =>
  tokens !== undefined && tokens.accessToken !== '' && tokens.refreshToken !== '' && tokens.sessionId !== '';

function issuing({ messages }: IssuingWork, prepare: Prepare): CallSource {
  const accepts = (answer: Buffer): boolean => isPair(IssueTokenResponse.decode(answer).tokens);
  const calls = messages.map((message): Call => ({ prepared: prepare(message), accepts }));
  let sent = 0;
  return () => calls[sent++ % calls.length];
}
