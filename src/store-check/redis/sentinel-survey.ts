// The `store check` behind Sentinels: the Sentinels, the primary that they name, and its replicas. Read-only.

import type { Redis } from 'ioredis';
import type { TlsSource } from '../../adapters/redis/client.js';
import { explain } from '../../adapters/redis/failure.js';
import {
  type Credentials,
  type HostPort,
  hostPortText,
  type RedisTarget,
  sentinelUrlOf,
} from '../../adapters/redis/url.js';
import type { CheckResult } from '../check-result.js';
import { labelByServer } from './merge-results.js';
import { type SentinelFacts, sentinelResults } from './sentinel-rules.js';
import { ALL_SHARDS, askServer, type SurveyOptions, surveyReplica, surveyServer } from './server-survey.js';

export async function surveySentinels(
  target: RedisTarget,
  credentials: Credentials | undefined,
  options: SurveyOptions,
): Promise<readonly CheckResult[]> {
  const urlOf = sentinelUrlOf(target, credentials);
  const all = await Promise.all(
    target.addresses.map((address) => factsOf(urlOf(address), hostPortText(address), target.name, options.tls)),
  );
  const results = [...sentinelResults(all)];
  const answered = all.flatMap(({ answer }) => (answer ? [answer] : []));
  const [first] = answered;
  if (!first) return results;
  const primary = await surveyServer(target.urlOf(first.primary), ALL_SHARDS, options);
  const replicas = await Promise.all(
    first.replicas.map(async (address) => ({
      server: hostPortText(address),
      results: await surveyReplica(target.urlOf(address), options),
    })),
  );
  return [
    ...results,
    ...labelByServer('the primary', [{ server: hostPortText(first.primary), results: primary }]),
    ...labelByServer('replica', replicas),
  ];
}

async function factsOf(url: string, name: string, watched: string, tls: TlsSource | undefined): Promise<SentinelFacts> {
  try {
    return { name, answer: await askServer(url, tls, (client) => answerOf(client, watched)), why: '' };
  } catch (error) {
    const unknownName = error instanceof Error && /No such master/.test(error.message);
    return {
      name,
      answer: undefined,
      why: unknownName ? 'it does not monitor the name in REDIS_URL' : explain(error).detail,
    };
  }
}

async function answerOf(client: Redis, watched: string): Promise<NonNullable<SentinelFacts['answer']>> {
  const [master, replicas] = await Promise.all([
    client.call('SENTINEL', 'MASTER', watched),
    client.call('SENTINEL', 'REPLICAS', watched),
  ]);
  const facts = pairs(master);
  const number = (key: string): number => Number(facts.get(key));
  return {
    primary: addressIn(facts),
    replicas: (Array.isArray(replicas) ? replicas : []).map((each) => addressIn(pairs(each))),
    all: number('num-other-sentinels') + 1,
    quorum: number('quorum'),
    downAfterMs: number('down-after-milliseconds'),
  };
}

const addressIn = (facts: ReadonlyMap<string, string>): HostPort => ({
  host: facts.get('ip') ?? '',
  port: Number(facts.get('port')),
});

function pairs(answer: unknown): ReadonlyMap<string, string> {
  const words = Array.isArray(answer) ? answer.map(String) : [];
  return new Map(Array.from({ length: words.length / 2 }, (_, n) => [words[2 * n] ?? '', words[2 * n + 1] ?? '']));
}
