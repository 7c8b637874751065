// Environment variables that look like misspelt settings. Imports nothing from Node.

import { closest } from './edit-distance.js';

/** Prefixes that only our settings use. Other programs use `GRPC_` and `REDIS_`, too, so those are not listed. */
const PREFIXES = ['AUTH_SERVICE_TLS_', 'GRPC_TLS_', 'ISSUER_', 'JWT_', 'REDIS_TLS_'];
/**
 * Variables that Kubernetes and Docker links set in every container for each service, such as `REDIS_SERVICE_HOST`,
 * `REDIS_PORT` and `REDIS_PORT_6379_TCP_ADDR`.
 */
const SERVICE_LINK = /_SERVICE_(?:HOST|PORT)(?:_\w+)?$|_PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?$/;
/** Shorter names may differ in one character only: two changes turn them into unrelated names. */
const LONG = 8;
const MAX_REPORTED = 20;

export interface UnknownName {
  readonly name: string;
  /** The setting with a similar name. */
  readonly similar: string | undefined;
}

/** @param names of variables that are set; @param known every setting of every command */
export function unknownNames(names: Iterable<string>, known: ReadonlySet<string>): readonly UnknownName[] {
  const found: UnknownName[] = [];
  for (const name of names) {
    if (known.has(name) || SERVICE_LINK.test(name)) continue;
    const upper = name.toUpperCase();
    const similar = known.has(upper) ? upper : closest(name, known, name.length < LONG ? 1 : 2);
    if (similar === undefined && !PREFIXES.some((prefix) => name.startsWith(prefix))) continue;
    found.push({ name, similar });
    if (found.length === MAX_REPORTED) break;
  }
  return found;
}
