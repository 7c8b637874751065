// The environment rules of `store check`: clock, version, authentication, encryption, other keys, birth records. Pure.

import { type CheckResult, good, unknown, warning } from '../check-result.js';
import type { Facts } from './facts.js';

/** The facts, and those derived from the URL, the settings and the birth records. */
export interface ServerFacts extends Omit<Facts, 'births'> {
  readonly open: boolean | undefined;
  readonly plain: boolean;
  /** How many replicas `serve` would wait for, and the error of WAIT, if there is one. */
  readonly wanted: { readonly replicas: number; readonly refusal: string | undefined };
  readonly births:
    | { readonly times: readonly number[]; readonly missing: number; readonly unreadable: number }
    | undefined;
}

/** One rule; undefined: it does not apply. */
export type Rule = (facts: ServerFacts) => CheckResult | undefined;

const FAR_OFF_MS = 5_000;

const clock: Rule = ({ clockAheadMs }) => {
  if (clockAheadMs === undefined) return undefined;
  const seconds = Math.abs(Math.round(clockAheadMs / 1000));
  if (Math.abs(clockAheadMs) <= FAR_OFF_MS) return good('Its clock agrees with this machine');
  const way = clockAheadMs > 0 ? 'ahead of' : 'behind';
  return warning(
    `Its clock is ${seconds} s ${way} this machine's: the clock of Redis decides when tokens expire`,
    'run NTP on both machines',
  );
};

const version: Rule = ({ version: text }) => {
  if (text === undefined) return undefined;
  const [major = 0, minor = 0] = text.split('.').map(Number);
  if (major > 6 || (major === 6 && minor >= 2)) return good(`Its version is ${text}`);
  return warning(`Its version is ${text}: the service needs version 6.2 or later`, 'upgrade it');
};

const authentication: Rule = ({ open }) => {
  if (open === undefined)
    return unknown('The check could not find out whether it requires a password', 'check that it does');
  if (!open) return good('It requires a password');
  return warning(
    'It accepts every client without a password: any of them can end and reactivate sessions',
    'create a user with few permissions (docs/deployment.md, Redis), disable the default user, and set both in REDIS_URL',
  );
};

const encryption: Rule = ({ plain }) =>
  plain
    ? warning(
        'REDIS_URL leads to another machine in plain text: the password can be read on the network',
        'use rediss://',
      )
    : undefined;

const foreignKeys: Rule = ({ sample }) => {
  if (!sample) return undefined;
  const { keys, others, whole } = sample;
  if (others === 0) return good(`None of ${keys} keys ${whole ? '' : '(a sample) '}belongs to another program`);
  return warning(
    `${others} of ${keys} keys ${whole ? '' : '(a sample) '}are of other programs: one that flushes the data deletes ours, too`,
    'give the service its own Redis, or its own database by the path of REDIS_URL',
  );
};

const births: Rule = ({ births: found }) => {
  if (!found) return undefined;
  const { times, missing, unreadable } = found;
  if (unreadable > 0) {
    return warning(
      `${unreadable} birth records cannot be read: calls for their subjects fail`,
      'find the client that writes to `lk:1:*:born`, and give it another database',
    );
  }
  if (times.length === 0)
    return good('It is new: the service will write its birth records, and deny all earlier sessions');
  const since = new Date(Math.max(...times)).toISOString();
  return good(`It accepts sessions that started after ${since} (${times.length} birth records, ${missing} missing)`);
};

const unansweredCommands: Rule = ({ unanswered }) =>
  unanswered.length === 0
    ? undefined
    : unknown(
        `This user may not run ${unanswered.join(', ')}: the check is incomplete`,
        'run the check again with the user of an administrator in REDIS_URL',
      );

/** All of these, in the order of the output. */
export const ENVIRONMENT_RULES: readonly Rule[] = [
  clock,
  version,
  authentication,
  encryption,
  foreignKeys,
  births,
  unansweredCommands,
];
