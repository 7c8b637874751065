// The rules of `store check` for one server: role, permissions, persistence, memory, replication. Pure.

import { evictionRule, PERSISTENCE_RULES } from '../../adapters/redis/durability-rules.js';
import { type CheckResult, good, unknown, unsafe, warning } from '../check-result.js';
import { ENVIRONMENT_RULES, type Rule, type ServerFacts } from './environment-rules.js';
import { worstFirst } from './merge-results.js';

/** The share of maxmemory from which on memory is short. */
const FULL = 0.8;
/** The memory of a refreshed or ended session, bytes. */
const ENTRY_BYTES = 220;
const MIB = 1024 * 1024;

const role: Rule = ({ role: kind, primary }) => {
  if (kind === 'master') return good('It is a primary');
  const where = primary === undefined ? '' : `, here ${primary}`;
  return unsafe(
    `It is no primary (its ROLE is ${kind ?? 'not reported'}): a replica's data is old, and writes to it are lost`,
    `set REDIS_URL to the primary${where}; or make this server the primary with \`redis-cli REPLICAOF NO ONE\``,
  );
};

const commands: Rule = ({ refusedCommands, role: kind }) => {
  if (refusedCommands.length === 0) return good('It accepts our reads and writes from this user');
  const what = refusedCommands.map(({ command, why }) => `${command} (${firstWords(why)})`).join(', ');
  if (kind !== 'master') return undefined;
  return unsafe(
    `It refuses commands that the service needs: ${what}. Without them logouts are not recorded, or tokens not validated`,
    'NOPERM: give the user the permissions in docs/deployment.md; OOM: raise maxmemory; MISCONF: find out why it cannot ' +
      'save; NOREPLICAS: start the replicas; an unknown command: it is renamed or disabled, so restore it',
  );
};

// The rest of an error may repeat the command's arguments.
const firstWords = (why: string): string => /^(?:ERR )?([^'"`:]{1,80})/.exec(why)?.[1]?.trim() ?? 'an error';

const fsync: Rule = ({ persistence, appendfsync }) => {
  if (persistence !== 'log') return undefined;
  if (appendfsync === 'always') return good('Each write is on the disk before it is acknowledged (appendfsync always)');
  const remedy = 'to lose none: `redis-cli CONFIG SET appendfsync always`, and for the next start in redis.conf';
  if (appendfsync === undefined)
    return unknown('It does not report its appendfsync: a power failure may lose the last writes', remedy);
  const lost =
    appendfsync === 'everysec' ? 'the last second or two' : 'the last 30 seconds or so, which are not on the disk yet,';
  return warning(`With appendfsync ${appendfsync} a power failure loses ${lost} of acknowledged logouts`, remedy);
};

const memory: Rule = ({ maxmemory, usedMemory }) => {
  if (maxmemory === undefined || usedMemory === undefined) return undefined;
  if (maxmemory === 0) {
    return warning(
      'There is no maxmemory: when memory runs out, the system kills Redis; with maxmemory Redis refuses writes instead',
      "set it below the machine's memory, for example `redis-cli CONFIG SET maxmemory 1gb`, and in redis.conf",
    );
  }
  const room = Math.max(0, maxmemory - usedMemory);
  const message = `${Math.floor(usedMemory / MIB)} of ${Math.floor(maxmemory / MIB)} MiB are used; there is room for about ${Math.floor(room / ENTRY_BYTES)} more sessions`;
  if (usedMemory < FULL * maxmemory) return good(message);
  return warning(
    `${message}. When it is full, it accepts no logout and no refresh`,
    'raise it: `redis-cli CONFIG SET maxmemory …`',
  );
};

const evicted: Rule = ({ evictedKeys = 0 }) =>
  evictedKeys === 0
    ? undefined
    : warning(
        `It has evicted ${evictedKeys} keys since its start: if ours were among them, ended sessions are active again`,
        'end all earlier sessions by deleting the birth records: docs/operations.md, Backups',
      );

const replication: Rule = ({ replicas, minReplicasToWrite, wanted }) => {
  if (wanted.refusal !== undefined) {
    return unsafe(
      `REDIS_MIN_REPLICAS is ${wanted.replicas}, but this user cannot run WAIT: ${firstWords(wanted.refusal)}`,
      'give the user the permission `+wait`: docs/deployment.md, Redis',
    );
  }
  if (wanted.replicas > 0 && replicas !== undefined) {
    const message = `It has ${replicas} replicas; each acknowledgement waits for ${wanted.replicas} (REDIS_MIN_REPLICAS)`;
    if (replicas >= wanted.replicas) return good(message);
    return unsafe(
      `${message}: no refresh and no logout can be acknowledged`,
      'start the replicas, or lower REDIS_MIN_REPLICAS',
    );
  }
  if (replicas === undefined || (replicas === 0 && !minReplicasToWrite)) return undefined;
  return warning(
    `It has ${replicas} replicas (min-replicas-to-write ${minReplicasToWrite ?? 'not reported'}): replication is asynchronous, ` +
      'so a failover loses the last acknowledged writes; min-replicas-to-write alone does not change that',
    'set REDIS_MIN_REPLICAS for the service, so that each acknowledgement waits for that number of replicas',
  );
};

/** All results, the worst first. */
export function serverResults(facts: ServerFacts, allowUnsafe: boolean): readonly CheckResult[] {
  if (facts.loading) return [unsafe('Redis is still loading its data', 'wait until it is done')];
  const policy = evictionRule(facts.policy);
  const results = [
    role(facts),
    policy.severity === 'unsafe' && allowUnsafe ? { ...policy, severity: 'warning' as const } : policy,
    PERSISTENCE_RULES[facts.persistence],
    ...[commands, fsync, memory, evicted, replication, ...ENVIRONMENT_RULES].map((rule) => rule(facts)),
  ].filter((result) => result !== undefined);
  return worstFirst(results);
}
