// The `store check` of Redis: one server, servers behind Sentinels, or a cluster.

import { type Credentials, readRedisUrl } from '../../adapters/redis/url.js';
import type { CheckResult } from '../check-result.js';
import { surveyCluster } from './cluster-survey.js';
import { worstFirst } from './merge-results.js';
import { surveySentinels } from './sentinel-survey.js';
import { ALL_SHARDS, type SurveyOptions, surveyServer } from './server-survey.js';

/** Checks the store that a URL names. Returns the worst result first. Never rejects because of the store. */
export async function surveyRedis(
  url: string,
  options: SurveyOptions & { readonly sentinel?: Credentials | undefined },
): Promise<readonly CheckResult[]> {
  const target = readRedisUrl(url);
  if (target.kind === 'sentinel') return worstFirst(await surveySentinels(target, options.sentinel, options));
  if (target.kind === 'cluster') return worstFirst(await surveyCluster(target, options));
  return surveyServer(url, ALL_SHARDS, options);
}
