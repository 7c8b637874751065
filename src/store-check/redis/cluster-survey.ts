// The `store check` of a Redis Cluster: its nodes' view of the cluster, and each node itself. Read-only.

import type { Redis } from 'ioredis';
import type { TlsSource } from '../../adapters/redis/client.js';
import { explain } from '../../adapters/redis/failure.js';
import { type ClusterNode, type ClusterView, parseNodes } from '../../adapters/redis/topology/cluster-nodes.js';
import { type HostPort, hostPortText, type RedisTarget } from '../../adapters/redis/url.js';
import type { CheckResult } from '../check-result.js';
import { type ClusterFacts, clusterResults } from './cluster-rules.js';
import { labelByServer } from './merge-results.js';
import { askServer, type SurveyOptions, surveyReplica, surveyServer } from './server-survey.js';

export async function surveyCluster(target: RedisTarget, options: SurveyOptions): Promise<readonly CheckResult[]> {
  const seeds = await Promise.all(
    target.addresses.map((address) => askNode(target.urlOf(address), address, options.tls)),
  );
  const seed = seeds.find(({ view }) => view);
  if (!seed?.view) return clusterResults(seeds);
  const others = seed.view.nodes.filter(({ address }) => hostPortText(address) !== seed.name);
  const facts = [
    seed,
    ...(await Promise.all(others.map(({ address }) => askNode(target.urlOf(address), address, options.tls)))),
  ];
  const { nodes, owners } = seed.view;
  const shardsOf = (id: string): number[] => [...owners.keys()].filter((shard) => owners[shard]?.server === id);
  const surveyed = (kind: ClusterNode['role'], survey: (node: ClusterNode) => Promise<readonly CheckResult[]>) =>
    Promise.all(
      nodes
        .filter(({ role, id }) => role === kind && (kind !== 'primary' || shardsOf(id).length > 0))
        .map(async (node) => ({ server: hostPortText(node.address), results: await survey(node) })),
    );
  const primaries = await surveyed('primary', ({ id, address }) =>
    surveyServer(target.urlOf(address), shardsOf(id), options),
  );
  const replicas = await surveyed('replica', ({ address }) => surveyReplica(target.urlOf(address), options));
  return [...clusterResults(facts), ...labelByServer('primary', primaries), ...labelByServer('replica', replicas)];
}

async function askNode(url: string, address: HostPort, tls: TlsSource | undefined): Promise<ClusterFacts> {
  const name = hostPortText(address);
  try {
    return { name, why: '', ...(await askServer(url, tls, (client) => readView(client, address))) };
  } catch (error) {
    const disabled = error instanceof Error && /cluster support disabled/.test(error.message);
    const why = disabled
      ? 'it is no node of a cluster: for a single server REDIS_URL must begin with redis://'
      : explain(error).detail;
    return { name, why, view: undefined, settings: new Map() };
  }
}

async function readView(
  client: Redis,
  address: HostPort,
): Promise<{ view: ClusterView | undefined; settings: Map<string, string> }> {
  const view = parseNodes(String(await client.call('CLUSTER', 'NODES')), address);
  const settings = new Map<string, string>();
  for (const name of ['cluster-require-full-coverage', 'cluster-node-timeout']) {
    const answer = await client.config('GET', name).catch(() => undefined);
    if (Array.isArray(answer) && answer.length > 1) settings.set(name, String(answer[1]));
  }
  return { view, settings };
}
