// The settings for proxies that authorize requests here: Envoy's external authorization, and the identity headers.

import { CONVENTIONS, type Convention } from '../bearer/identity-headers.js';
import type { Environment } from '../platform/env.js';

/** Envoy's external authorization on the gRPC port. */
export interface ExtAuthzSettings {
  /** Whether a request that cannot be decided counts as an error, which Envoy's `failure_mode_allow` lets through. */
  readonly unsureIsError: boolean;
  readonly identityHeaders: readonly Convention[];
}

/** @returns undefined if it is off. `env` records the faults, for its `check` */
export function readExtAuthz(env: Environment): ExtAuthzSettings | undefined {
  const isOn = env.flag('EXT_AUTHZ', false);
  const unsure = env.choice('EXT_AUTHZ_UNSURE', ['deny', 'error'], 'deny');
  const identityHeaders = readIdentityHeaders(env);
  return isOn ? { unsureIsError: unsure === 'error', identityHeaders } : undefined;
}

/** The conventions of CHECK_HEADERS. `env` records the faults, for its `check`. */
export function readIdentityHeaders(env: Environment): readonly Convention[] {
  const text = env.text('CHECK_HEADERS', { default: 'latchkey' });
  const names = text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const known = CONVENTIONS.filter((convention) => names.includes(convention));
  if (known.length === 0 || known.length < new Set(names).size) {
    env.fault('CHECK_HEADERS', JSON.stringify(text), `one or more of ${CONVENTIONS.join(', ')}, comma separated`);
  }
  return known;
}
