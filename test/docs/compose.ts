// The reading of docker-compose.yml by tests, as compose itself would read it.

import { parse } from 'yaml';
import { readText } from './markdown.js';

export interface Container {
  readonly image?: string;
  readonly user?: string;
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly networks: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck: { readonly test: readonly string[] };
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly privileged?: boolean;
}

export interface Compose {
  readonly services: Readonly<Record<'redis' | 'service' | 'gateway', Container>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

export const readCompose = (): Compose => parse(readText('docker-compose.yml'), { merge: true });

/** A value with its variables replaced. @throws Error for a required variable that is not given */
const interpolated = (value: string, given: Readonly<Record<string, string>>): string =>
  value.replace(/\$\{(\w+):([?-])([^}]*)\}/g, (_match, name: string, kind: string, text: string) => {
    if (given[name]) return given[name];
    if (kind === '?') throw new Error(`${name}: ${text}`);
    return text;
  });

/** What a container's process finds in its environment. */
export const environmentOf = (
  { environment = {} }: Container,
  given: Readonly<Record<string, string>> = {},
): Record<string, string> =>
  Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, interpolated(value, given)]));

/** The secrets that compose asks for, for tests. */
export const SECRETS = { JWT_SECRET: 's'.repeat(32), ISSUER_TOKEN: 't'.repeat(32) };
