// The `store check` of Redis: one server, servers behind Sentinels, or a cluster.

import type { Finding } from '../../../core/finding.js';
import { type Credentials, readRedisUrl } from '../url.js';
import { surveyCluster } from './cluster-survey.js';
import { worstFirst } from './findings.js';
import { surveySentinels } from './sentinel-survey.js';
import { ALL_SHARDS, type SurveyOptions, surveyServer } from './server-survey.js';

/** Checks the store that a URL names. Returns the worst result first. Never rejects because of the store. */
export async function surveyRedis(
  url: string,
  options: SurveyOptions & { readonly sentinel?: Credentials | undefined },
): Promise<readonly Finding[]> {
  const target = readRedisUrl(url);
  if (target.kind === 'sentinel') return worstFirst(await surveySentinels(target, options.sentinel, options));
  if (target.kind === 'cluster') return worstFirst(await surveyCluster(target, options));
  return surveyServer(url, ALL_SHARDS, options);
}
