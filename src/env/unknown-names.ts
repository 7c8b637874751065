// Variables that were likely meant to be settings, and are none. Imports nothing of Node.

import { closest } from './edit-distance.js';

/** Names below these are ours. `GRPC_` and `REDIS_` are not: libraries and other programs have variables there. */
const PREFIXES = ['AUTH_SERVICE_TLS_', 'GRPC_TLS_', 'ISSUER_', 'JWT_', 'REDIS_TLS_'];
/**
 * What Kubernetes and Docker's links set in every container for each service of theirs, such as `REDIS_SERVICE_HOST`,
 * `REDIS_PORT` and `REDIS_PORT_6379_TCP_ADDR`.
 */
const SERVICE_LINK = /_SERVICE_(?:HOST|PORT)(?:_\w+)?$|_PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?$/;
/** Of a short name two changes make any other. */
const LONG = 8;
const MAX_REPORTED = 20;

export interface UnknownName {
  readonly name: string;
  /** The setting that is spelt like it. */
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
