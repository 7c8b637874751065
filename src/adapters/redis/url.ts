// The parser of REDIS_URL, stricter than the driver's. Imports nothing.

/** The host and the port of a connection. */
export interface HostPort {
  /** An IPv6 address has no brackets here. */
  readonly host: string;
  readonly port: number;
}

/** The target of a URL: one server, the primary that Sentinels name, or a cluster. */
export interface RedisTarget {
  readonly kind: 'server' | 'sentinel' | 'cluster';
  /** The server, the Sentinels, or some nodes of the cluster. */
  readonly addresses: readonly HostPort[];
  /** The name under which the Sentinels monitor the primary; empty without Sentinels. */
  readonly name: string;
  readonly tls: boolean;
  /** With its question mark; empty: none. */
  readonly query: string;
  /** The URL of one server, with the shared credentials. May hold a password. */
  urlOf(address: HostPort): string;
}

const FORM = /^redis(s?)(?:\+(sentinel|cluster))?:\/\/(?:([^@/?#]*)@)?([^@/?#]*)(\/[^?#]*)?(?:\?([^#]*))?$/;
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Z}]/u;
const DEFAULT_PORT = { server: 6379, sentinel: 26379, cluster: 6379 } as const;
const WANTED_FORM =
  'a URL that begins with redis:// or rediss://, or names several hosts with redis+sentinel:// or redis+cluster:// (rediss+… for TLS)';

const VISIBLE_FORM =
  'a URL such as redis://127.0.0.1:6379 without white space or control characters (percent-encode those of a password)';

/** A user and a password; undefined: none. */
export interface Credentials {
  readonly user: string | undefined;
  readonly password: string | undefined;
}

/** The URLs of a target's Sentinels: those of its servers, with other credentials and no database. */
export const sentinelUrlOf =
  ({ tls, query }: RedisTarget, { user = '', password }: Partial<Credentials> = {}) =>
  (address: HostPort): string => {
    const secret = password === undefined ? '' : `:${encodeURIComponent(password)}`;
    const userinfo = password === undefined && user === '' ? '' : `${encodeURIComponent(user)}${secret}@`;
    return `redis${tls ? 's' : ''}://${userinfo}${hostOf(address)}:${address.port}${query}`;
  };

/** An invalid URL. The text holds no part of the URL, which may hold a password. */
class Fault extends Error {}

/** The form that an invalid URL should have; undefined for a valid URL. */
export function redisUrlFault(url: string): string | undefined {
  try {
    readRedisUrl(url);
    return undefined;
  } catch (error) {
    if (error instanceof Fault) return error.message;
    throw error;
  }
}

/** Whether a place that a server names can be connected to: it may lack its host, or have port 0. */
export const canDial = (target: RedisTarget, address: HostPort): boolean =>
  redisUrlFault(target.urlOf(address)) === undefined;

/** Whether a URL asks for TLS. */
export const isTlsUrl = (url: string): boolean => /^rediss(\+(sentinel|cluster))?:\/\//.test(url);

/** @throws Error that says which form is expected, and holds no part of the URL */
export function readRedisUrl(url: string): RedisTarget {
  // The URL parser silently drops some of these characters, even within a password.
  if (INVISIBLE.test(url)) wanted(VISIBLE_FORM);
  // Case-sensitive: the driver would connect to `REDISS://` without TLS.
  const [, s, mode = 'server', userinfo, hosts = '', path = '', query = ''] = FORM.exec(url) ?? wanted(WANTED_FORM);
  const kind = mode as RedisTarget['kind'];
  const [user = '', password] = (userinfo ?? '').split(/:(.*)/s);
  if (![user, password ?? ''].every(isPercentEncoded)) wanted('a URL whose user and password are percent-encoded');
  const addresses = hosts.split(',').map((host) => readHostPort(host, DEFAULT_PORT[kind]));
  if (kind === 'server' && addresses.length > 1) wanted('one host: several need redis+sentinel:// or redis+cluster://');
  // Each host has one vote.
  if (new Set(addresses.map(({ host, port }) => `${host} ${port}`)).size < addresses.length)
    wanted('a URL that names no host twice');
  const [name, database] = readPath(kind, path);
  // The driver applies any parameter as an option, before ours: one could switch its offline queue on again.
  if (query !== '' && !/^family=[046]$/.test(query)) wanted('a URL with no parameter but family, which is 4 or 6');
  const credentials = userinfo === undefined ? '' : `${userinfo}@`;
  const parameters = query === '' ? '' : `?${query}`;
  const suffix = `${database === '' ? '' : `/${database}`}${parameters}`;
  const urlOf = (address: HostPort): string => `redis${s}://${credentials}${hostOf(address)}:${address.port}${suffix}`;
  if (addresses.some((address) => !URL.canParse(urlOf(address)))) wanted(WANTED_FORM);
  return { kind, addresses, name, tls: s === 's', query: parameters, urlOf };
}

/** `host:port`, without brackets. */
export const hostPortText = ({ host, port }: HostPort): string => `${host}:${port}`;

const hostOf = ({ host }: HostPort): string => (host.includes(':') ? `[${host}]` : host);

function readHostPort(text: string, otherwise: number): HostPort {
  const [, bracketed, plain = '', digits] = /^(?:\[([0-9A-Fa-f:.]+)\]|([^[\]:]*))(?::(\d{0,5}))?$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === '') wanted('a URL with a host');
  const port = digits === undefined || digits === '' ? otherwise : Number(digits);
  if (port < 1 || port > 65_535) wanted('a URL with a port from 1 to 65535, or none');
  return { host, port };
}

/** @returns the name that Sentinels know, and the number of the database, if one is named */
function readPath(kind: RedisTarget['kind'], path: string): readonly [name: string, database: string] {
  if (kind === 'sentinel') {
    const [, name = '', database = ''] =
      /^\/([\w.-]{1,100})(?:\/(\d{0,5}))?$/.exec(path) ??
      wanted(
        'a URL whose path is the name under which the Sentinels monitor the primary, such as /mymaster, and optionally a database number',
      );
    return [name, database];
  }
  if (kind === 'cluster') {
    // A cluster has only database 0.
    if (!/^(\/0?)?$/.test(path)) wanted('a URL without a path: a Redis Cluster has only database 0');
    return ['', ''];
  }
  // The driver would read a path that is not a number as database 0.
  const [, database = ''] =
    /^\/?(\d{0,5})$/.exec(path) ?? wanted('a URL whose path is a database number such as /0, or none');
  return ['', database];
}

function wanted(what: string): never {
  throw new Fault(what);
}

function isPercentEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
