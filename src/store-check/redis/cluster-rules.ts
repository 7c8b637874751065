// The rules of `store check` for a cluster: votes, slot coverage, replicas and settings. Pure.

import type { ClusterNode, ClusterView } from '../../adapters/redis/topology/cluster-nodes.js';
import { type CheckResult, good, unknown, unsafe, warning } from '../check-result.js';

/** The answer of one node. */
export interface ClusterFacts {
  readonly name: string;
  /** Why there is no answer. */
  readonly why: string;
  readonly view: ClusterView | undefined;
  readonly settings: ReadonlyMap<string, string>;
}

const SHORT_MS = 1_000;
const SLOW_MS = 10_000;

/** @param facts the answers of all nodes that any node lists */
export function clusterResults(facts: readonly ClusterFacts[]): readonly CheckResult[] {
  const views = facts.flatMap(({ view }) => (view ? [view] : []));
  const [first] = views;
  const most = Math.floor(facts.length / 2) + 1;
  const silent = facts.filter(({ view }) => !view).map(({ name, why }) => `${name} (${why})`);
  const remedy =
    'start them, and run `redis-cli --cluster check HOST:PORT`; remove nodes that are gone for good with `cluster forget`';
  if (!first || views.length < most) {
    return [
      unsafe(
        `${views.length} of ${facts.length} nodes of the cluster answer: the service needs the votes of ${most}. No answer: ${silent.join(', ')}`,
        remedy,
      ),
    ];
  }
  const found: CheckResult[] = [];
  if (silent.length > 0) found.push(warning(`These nodes of the cluster do not answer: ${silent.join(', ')}`, remedy));
  return [...found, ...coverage(views, first), ...shape(first), ...settings(facts)];
}

function coverage(views: readonly ClusterView[], { owners }: ClusterView): CheckResult[] {
  const bare = owners.filter((owner) => owner === undefined).length;
  if (bare > 0) {
    return [
      unsafe(
        `${bare} of our ${owners.length} slots have no primary: calls for their subjects fail`,
        'cover them with `redis-cli --cluster fix HOST:PORT`',
      ),
    ];
  }
  const agreed = views.every((view) => view.owners.every((owner, shard) => owner?.server === owners[shard]?.server));
  if (agreed) return [good(`All nodes of the cluster agree on the owners of our ${owners.length} slots`)];
  return [
    warning(
      'The nodes do not agree on the owners of our slots',
      'wait until a migration or a failover is over, and check again',
    ),
  ];
}

function shape({ nodes, owners }: ClusterView): CheckResult[] {
  const primaries = nodes.filter(({ id }) => owners.some((owner) => owner?.server === id));
  const alone = primaries.filter(({ id }) => !nodes.some((node) => node.role === 'replica' && node.follows === id));
  const found: CheckResult[] = [];
  if (primaries.length < 3) {
    found.push(
      warning(
        `There are ${primaries.length} primaries: when one fails, the others have no majority to replace it`,
        'run at least three',
      ),
    );
  }
  const name = ({ address }: ClusterNode): string => `${address.host}:${address.port}`;
  if (alone.length > 0) {
    found.push(
      warning(
        `Primaries without a replica: ${alone.map(name).join(', ')}. While one is down, calls for its subjects fail; writes that it loses are lost`,
        'give each of them a replica',
      ),
    );
  } else found.push(good('Each primary has a replica'));
  return found;
}

function settings(facts: readonly ClusterFacts[]): CheckResult[] {
  const values = (name: string): string[] => facts.flatMap((each) => each.settings.get(name) ?? []);
  const coverages = values('cluster-require-full-coverage');
  const timeouts = values('cluster-node-timeout').map(Number);
  if (coverages.length === 0 || timeouts.length === 0) {
    return [
      unknown(
        'This user cannot read cluster-require-full-coverage and cluster-node-timeout (CONFIG GET)',
        'check that the first is no, and the second between 1000 and 10000',
      ),
    ];
  }
  const found: CheckResult[] = [];
  if (coverages.includes('yes')) {
    found.push(
      warning(
        'cluster-require-full-coverage is yes: when one primary and its replicas are down, calls for all subjects fail, not only for theirs',
        'set it at each node: `redis-cli CONFIG SET cluster-require-full-coverage no`, and in redis.conf',
      ),
    );
  }
  const remedy =
    'set it between 1000 and 10000 at each node: `redis-cli CONFIG SET cluster-node-timeout 5000`, and in redis.conf';
  const [least, longest] = [Math.min(...timeouts), Math.max(...timeouts)];
  if (least < SHORT_MS) {
    found.push(warning(`cluster-node-timeout is ${least} ms: even a short pause causes a failover`, remedy));
  } else if (longest > SLOW_MS) {
    found.push(
      warning(
        `cluster-node-timeout is ${longest} ms: when a primary fails, calls for its subjects fail for that time and some seconds more`,
        remedy,
      ),
    );
  } else found.push(good(`A node counts as down after ${longest} ms (cluster-node-timeout)`));
  return found;
}
