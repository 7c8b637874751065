// Owns what `store check` says of what is around a server: clock, version, who may come in, who else is there. Pure.

import { type Finding, good, unknown, warning } from '../../../core/finding.js';
import type { Facts } from './facts.js';

/** The facts, and what follows from the address and the births. */
export interface Known extends Omit<Facts, 'births'> {
  readonly open: boolean | undefined;
  readonly plain: boolean;
  /** How many replicas `serve` would wait for, and what keeps it from that, if anything does. */
  readonly wanted: { readonly replicas: number; readonly refusal: string | undefined };
  readonly births:
    | { readonly times: readonly number[]; readonly missing: number; readonly unreadable: number }
    | undefined;
}

/** Says one thing of a server, or nothing. */
export type Judge = (known: Known) => Finding | undefined;

const FAR_OFF_MS = 5_000;

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
    'give it a user of few rights (docs/deployment.md, Redis), close the default one, and put the name in REDIS_URL',
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

/** All of these, in the order in which they are said. */
export const SURROUNDINGS: readonly Judge[] = [clock, version, door, wire, strangers, births, silence];
