// Owns what `store check` says of what it found: each finding in plain words, with its reason and what mends it. Pure.

import type { Finding } from '../../core/finding.js';
import type { Facts } from './facts.js';
import { judgePolicy, PERSISTENCE } from './judgement.js';

/** The facts, and what follows from the address and the births. */
export interface Known extends Omit<Facts, 'births'> {
  readonly open: boolean | undefined;
  readonly plain: boolean;
  readonly births:
    | { readonly times: readonly number[]; readonly missing: number; readonly unreadable: number }
    | undefined;
}

type Judge = (known: Known) => Finding | undefined;

const good = (says: string): Finding => ({ weight: 'good', says });
const warning = (says: string, mend: string): Finding => ({ weight: 'warning', says, mend });
const unsafe = (says: string, mend: string): Finding => ({ weight: 'unsafe', says, mend });
const unknown = (says: string, mend: string): Finding => ({ weight: 'unknown', says, mend });

/** From this share of maxmemory on there is little room. */
const FULL = 0.8;
/** What a session that was refreshed or ended takes, bytes. */
const ENTRY_BYTES = 220;
const FAR_OFF_MS = 5_000;
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
    'NOPERM: give the user the rights that docs/operations.md names; OOM: raise maxmemory; MISCONF: see why it cannot ' +
      'save; NOREPLICAS: bring the replicas back; an unknown command: it is renamed or forbidden, which must not be',
  );
};

// The rest of an error may repeat what was sent.
const firstWords = (why: string): string => /^(?:ERR )?([^'"`:]{1,80})/.exec(why)?.[1]?.trim() ?? 'an error';

const fsync: Judge = ({ persistence, appendfsync }) => {
  if (persistence !== 'log') return undefined;
  if (appendfsync === 'always') return good('Each write is on the disk before it is acknowledged (appendfsync always)');
  const mend = 'to keep all of them: `redis-cli CONFIG SET appendfsync always`, and for the next start in redis.conf';
  if (appendfsync === undefined) return unknown('appendfsync is not told: a power cut may cost the last writes', mend);
  const lost =
    appendfsync === 'everysec' ? 'the last second or two' : 'what the system had not written yet, 30 s or so';
  return warning(`appendfsync is ${appendfsync}: a power cut costs ${lost} of acknowledged logouts`, mend);
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

const replication: Judge = ({ replicas, minReplicasToWrite }) => {
  if (replicas === undefined || (replicas === 0 && !minReplicasToWrite)) return undefined;
  return warning(
    `It has ${replicas} replicas (min-replicas-to-write ${minReplicasToWrite ?? 'not told'}): replication is asynchronous, ` +
      'so a failover loses the last acknowledged writes; min-replicas-to-write alone does not change that',
    'set REDIS_MIN_REPLICAS of the service, so that each acknowledgement waits for so many of them',
  );
};

const clock: Judge = ({ clockAheadMs }) => {
  if (clockAheadMs === undefined) return undefined;
  const seconds = Math.abs(Math.round(clockAheadMs / 1000));
  if (Math.abs(clockAheadMs) <= FAR_OFF_MS) return good('Its clock agrees with this machine');
  const way = clockAheadMs > 0 ? 'ahead of' : 'behind';
  return warning(
    `Its clock is ${seconds} s ${way} this machine's: the clock of Redis decides when tokens end`,
    'run NTP on both',
  );
};

const version: Judge = ({ version: text }) => {
  if (text === undefined) return undefined;
  if (Number.parseInt(text, 10) >= 6) return good(`Its version is ${text}`);
  return warning(`Its version is ${text}: the service is made and tested for 6 and later`, 'upgrade it');
};

const door: Judge = ({ open }) => {
  if (open === undefined)
    return unknown('Whether it asks everybody for a password could not be found out', 'see that it does');
  if (!open) return good('It asks for a password');
  return warning(
    'It lets in whoever reaches it, without a password: they can end sessions and revive them',
    'give it a user of few rights (docs/operations.md, Redis), close the default one, and put the name in REDIS_URL',
  );
};

const wire: Judge = ({ plain }) =>
  plain
    ? warning('REDIS_URL is plain text to another machine: the password can be read on the way', 'use rediss://')
    : undefined;

const strangers: Judge = ({ sample }) => {
  if (!sample) return undefined;
  const { keys, others, whole } = sample;
  if (others === 0) return good(`Of ${keys} keys ${whole ? '' : '(a sample) '}none is of another program`);
  return warning(
    `Of ${keys} keys ${whole ? '' : '(a sample) '}${others} are of other programs: one that deletes or flushes takes ours along`,
    'give the service a Redis of its own, or a database of its own by the path of REDIS_URL',
  );
};

const births: Judge = ({ births: found }) => {
  if (!found) return undefined;
  const { times, missing, unreadable } = found;
  if (unreadable > 0) {
    return warning(
      `${unreadable} birth records cannot be read: calls of their subjects are unavailable`,
      'who writes there?',
    );
  }
  if (times.length === 0) return good('It is new: the service will write its births, and deny all sessions of before');
  const since = new Date(Math.max(...times)).toISOString();
  return good(`It vouches for sessions that started after ${since} (${times.length} births, ${missing} missing)`);
};

const silence: Judge = ({ unanswered }) =>
  unanswered.length === 0
    ? undefined
    : unknown(
        `This user may not ask for ${unanswered.join(', ')}: what that would show is not known`,
        'run the check once more with a REDIS_URL of an administrator',
      );

const ORDER = ['unsafe', 'warning', 'unknown', 'good'] as const;

/** All there is to say, the worst first. */
export function judgeFacts(known: Known, allowUnsafe: boolean): readonly Finding[] {
  if (known.loading) return [unsafe('Redis is still loading its data', 'wait until it has')];
  const policy = judgePolicy(known.policy);
  const findings = [
    role(known),
    policy.weight === 'unsafe' && allowUnsafe ? { ...policy, weight: 'warning' as const } : policy,
    PERSISTENCE[known.persistence],
    ...[commands, fsync, memory, evicted, replication, clock, version, door, wire, strangers, births, silence].map(
      (judge) => judge(known),
    ),
  ].filter((finding) => finding !== undefined);
  return findings.toSorted((a, b) => ORDER.indexOf(a.weight) - ORDER.indexOf(b.weight));
}
