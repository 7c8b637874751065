// Owns what `store check` says of how a server keeps and takes what it is told: in plain words, with what mends it. Pure.

import { type Finding, good, unknown, unsafe, warning } from '../../../core/finding.js';
import { judgePolicy, PERSISTENCE } from '../judgement.js';
import { worstFirst } from './findings.js';
import { type Judge, type Known, SURROUNDINGS } from './surroundings.js';

/** From this share of maxmemory on there is little room. */
const FULL = 0.8;
/** What a session that was refreshed or ended takes, bytes. */
const ENTRY_BYTES = 220;
const MIB = 1024 * 1024;

const role: Judge = ({ role: kind, primary }) => {
  if (kind === 'master') return good('It is a primary');
  const where = primary === undefined ? '' : `, here ${primary}`;
  return unsafe(
    `It is no primary (its ROLE is ${kind ?? 'not told'}): what a replica tells is late, and what it is told is lost`,
    `let REDIS_URL name the primary${where}; or make this one the primary with \`redis-cli REPLICAOF NO ONE\``,
  );
};

const commands: Judge = ({ refusedCommands, role: kind }) => {
  if (refusedCommands.length === 0) return good('It takes our reads and writes from this user');
  const what = refusedCommands.map(({ command, why }) => `${command} (${firstWords(why)})`).join(', ');
  if (kind !== 'master') return undefined;
  return unsafe(
    `It does not do what the service needs: ${what}. Without it no logout is recorded, or no token can be judged`,
    'NOPERM: give the user the rights that docs/deployment.md names; OOM: raise maxmemory; MISCONF: see why it cannot ' +
      'save; NOREPLICAS: bring the replicas back; an unknown command: it is renamed or forbidden, which must not be',
  );
};

// The rest of an error may repeat what was sent.
const firstWords = (why: string): string => /^(?:ERR )?([^'"`:]{1,80})/.exec(why)?.[1]?.trim() ?? 'an error';

const fsync: Judge = ({ persistence, appendfsync }) => {
  if (persistence !== 'log') return undefined;
  if (appendfsync === 'always') return good('Each write is on the disk before it is acknowledged (appendfsync always)');
  const mend = 'to keep all of them: `redis-cli CONFIG SET appendfsync always`, and for the next start in redis.conf';
  if (appendfsync === undefined)
    return unknown('It does not tell its appendfsync: a power cut may cost the last writes', mend);
  const lost =
    appendfsync === 'everysec' ? 'the last second or two' : 'what the system had not written yet, 30 s or so';
  return warning(`With appendfsync ${appendfsync} a power cut costs ${lost} of acknowledged logouts`, mend);
};

const memory: Judge = ({ maxmemory, usedMemory }) => {
  if (maxmemory === undefined || usedMemory === undefined) return undefined;
  if (maxmemory === 0) {
    return warning(
      'There is no maxmemory: when the machine is full, the system kills Redis instead of it refusing writes',
      'set it below what the machine has, such as `redis-cli CONFIG SET maxmemory 1gb`, and in redis.conf',
    );
  }
  const room = Math.max(0, maxmemory - usedMemory);
  const says = `${Math.floor(usedMemory / MIB)} of ${Math.floor(maxmemory / MIB)} MiB are used; there is room for about ${Math.floor(room / ENTRY_BYTES)} more sessions`;
  if (usedMemory < FULL * maxmemory) return good(says);
  return warning(`${says}. Full, it takes no logout and no refresh`, 'raise it: `redis-cli CONFIG SET maxmemory …`');
};

const evicted: Judge = ({ evictedKeys = 0 }) =>
  evictedKeys === 0
    ? undefined
    : warning(
        `It has evicted ${evictedKeys} keys since its start: if ours were among them, ended sessions stand again`,
        'end all sessions of before by deleting the births: docs/operations.md, Backups',
      );

const replication: Judge = ({ replicas, minReplicasToWrite, wanted }) => {
  if (wanted.refusal !== undefined) {
    return unsafe(
      `REDIS_MIN_REPLICAS is ${wanted.replicas}, and it does not let this user wait for them: ${firstWords(wanted.refusal)}`,
      'give the user the right to `wait`: docs/deployment.md, Redis',
    );
  }
  if (wanted.replicas > 0 && replicas !== undefined) {
    const says = `It has ${replicas} replicas; each acknowledgement waits for ${wanted.replicas} (REDIS_MIN_REPLICAS)`;
    if (replicas >= wanted.replicas) return good(says);
    return unsafe(`${says}: no refresh and no logout can be acknowledged`, 'bring the replicas up, or lower it');
  }
  if (replicas === undefined || (replicas === 0 && !minReplicasToWrite)) return undefined;
  return warning(
    `It has ${replicas} replicas (min-replicas-to-write ${minReplicasToWrite ?? 'not told'}): replication is asynchronous, ` +
      'so a failover loses the last acknowledged writes; min-replicas-to-write alone does not change that',
    'set REDIS_MIN_REPLICAS of the service, so that each acknowledgement waits for so many of them',
  );
};

/** All there is to say, the worst first. */
export function judgeFacts(known: Known, allowUnsafe: boolean): readonly Finding[] {
  if (known.loading) return [unsafe('Redis is still loading its data', 'wait until it has')];
  const policy = judgePolicy(known.policy);
  const findings = [
    role(known),
    policy.weight === 'unsafe' && allowUnsafe ? { ...policy, weight: 'warning' as const } : policy,
    PERSISTENCE[known.persistence],
    ...[commands, fsync, memory, evicted, replication, ...SURROUNDINGS].map((judge) => judge(known)),
  ].filter((finding) => finding !== undefined);
  return worstFirst(findings);
}
