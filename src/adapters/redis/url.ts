// The rules for the URL of Redis: what it names, and what the driver would misread. Imports nothing.

/** A host and a port, as they are dialled. */
export interface Place {
  /** An IPv6 address stands without its brackets. */
  readonly host: string;
  readonly port: number;
}

/** What a URL leads to: one server, whoever three Sentinels call the primary of a name, or the nodes of a cluster. */
export interface RedisTarget {
  readonly kind: 'server' | 'sentinel' | 'cluster';
  /** The server, the Sentinels, or nodes that know the others. */
  readonly places: readonly Place[];
  /** The name that Sentinels know the primary by; empty where there are none. */
  readonly name: string;
  readonly tls: boolean;
  /** With its question mark; empty if there is none. */
  readonly query: string;
  /** The URL of a server among them, with the credentials that all of them share. May hold a password. */
  urlOf(place: Place): string;
}

const FORM = /^redis(s?)(?:\+(sentinel|cluster))?:\/\/(?:([^@/?#]*)@)?([^@/?#]*)(\/[^?#]*)?(?:\?([^#]*))?$/;
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Z}]/u;
const DEFAULT_PORT = { server: 6379, sentinel: 26379, cluster: 6379 } as const;
const WANTED_FORM =
  'a URL that begins with redis:// or rediss://, or names several hosts with redis+sentinel:// or redis+cluster:// (rediss+… for TLS)';

const VISIBLE_FORM =
  'a URL such as redis://127.0.0.1:6379 without white space or control characters (percent-encode those of a password)';

/** A user and a password; undefined: none is asked for. */
export interface Credentials {
  readonly user: string | undefined;
  readonly password: string | undefined;
}

/** The URLs of the Sentinels of a target: as its servers', but for the credentials and the database. */
export const sentinelUrlOf =
  ({ tls, query }: RedisTarget, { user = '', password }: Partial<Credentials> = {}) =>
  (place: Place): string => {
    const secret = password === undefined ? '' : `:${encodeURIComponent(password)}`;
    const userinfo = password === undefined && user === '' ? '' : `${encodeURIComponent(user)}${secret}@`;
    return `redis${tls ? 's' : ''}://${userinfo}${hostOf(place)}:${place.port}${query}`;
  };

/** A URL that cannot be used. Its text holds nothing of the URL, for there may be a password in it. */
class Fault extends Error {}

/** What is wanted of a URL that cannot be used; undefined for a good one. */
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
export const canDial = (target: RedisTarget, place: Place): boolean => redisUrlFault(target.urlOf(place)) === undefined;

/** Whether a URL asks for TLS. */
export const isTlsUrl = (url: string): boolean => /^rediss(\+(sentinel|cluster))?:\/\//.test(url);

/** @throws Error that says what is wanted, and holds nothing of the URL */
export function readRedisUrl(url: string): RedisTarget {
  // The standard's parser of URLs drops some of them without a word, in the middle of a password, too.
  if (INVISIBLE.test(url)) wanted(VISIBLE_FORM);
  // To the letter: the driver would speak plainly to `REDISS://`.
  const [, s, mode = 'server', userinfo, hosts = '', path = '', query = ''] = FORM.exec(url) ?? wanted(WANTED_FORM);
  const kind = mode as RedisTarget['kind'];
  const [user = '', password] = (userinfo ?? '').split(/:(.*)/s);
  if (![user, password ?? ''].every(isPercentEncoded)) wanted('a URL whose user and password are percent-encoded');
  const places = hosts.split(',').map((host) => readPlace(host, DEFAULT_PORT[kind]));
  if (kind === 'server' && places.length > 1)
    wanted('one host: several are named by redis+sentinel:// or redis+cluster://');
  // Each has one voice.
  if (new Set(places.map(({ host, port }) => `${host} ${port}`)).size < places.length)
    wanted('a URL that names no host twice');
  const [name, database] = readPath(kind, path);
  // The driver takes any parameter for one of its options, before ours: one could switch its queue on again.
  if (query !== '' && !/^family=[046]$/.test(query)) wanted('a URL with no parameter but family, which is 4 or 6');
  const credentials = userinfo === undefined ? '' : `${userinfo}@`;
  const parameters = query === '' ? '' : `?${query}`;
  const suffix = `${database === '' ? '' : `/${database}`}${parameters}`;
  const urlOf = (place: Place): string => `redis${s}://${credentials}${hostOf(place)}:${place.port}${suffix}`;
  if (places.some((place) => !URL.canParse(urlOf(place)))) wanted(WANTED_FORM);
  return { kind, places, name, tls: s === 's', query: parameters, urlOf };
}

const hostOf = ({ host }: Place): string => (host.includes(':') ? `[${host}]` : host);

function readPlace(text: string, otherwise: number): Place {
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
        'a URL whose path is the name that the Sentinels know the primary by, such as /mymaster, and maybe a database number',
      );
    return [name, database];
  }
  if (kind === 'cluster') {
    // A cluster has no other database.
    if (!/^(\/0?)?$/.test(path)) wanted('a URL without a path: a Redis Cluster has database 0 alone');
    return ['', ''];
  }
  // It would take a path that is no number for database 0.
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
