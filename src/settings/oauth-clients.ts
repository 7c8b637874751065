// The file of OAuth clients in OAUTH_CLIENTS: its format, its checks, and the entry of a client.

import { readSecretFile } from '../platform/env/secret-file.js';
import { hasNameTwice } from '../platform/json-names.js';

/** What a client may be allowed to do beyond revoking the tokens that it holds. */
export const CLIENT_RIGHTS = ['introspect', 'global_revocation', 'watch'] as const;
export type ClientRight = (typeof CLIENT_RIGHTS)[number];

export interface OAuthClient {
  readonly id: string;
  /** SHA-256 of each valid secret in UTF-8, 64 hexadecimal digits in lower case. Several while a secret is changed. */
  readonly secretHashes: readonly string[];
  readonly rights: readonly ClientRight[];
}

/** The clients in a file, or what is wrong with it. No fault holds a hash, because it may be a secret by mistake. */
export type ClientsInFile = { readonly clients: readonly OAuthClient[] } | { readonly faults: readonly string[] };

/** The least length of a secret, characters: its hash has no salt, so the secret must be beyond guessing. */
export const MIN_CLIENT_SECRET = 32;
const MAX_HASHES = 4;
/**
 * Without `:`, which ends the id in HTTP Basic credentials, and without the characters that mean something in a form:
 * so an id is the same whether or not a client encodes it (RFC 6749, section 2.3.1).
 */
const ID = /^[A-Za-z0-9._~@/-]{1,255}$/;
const HASH = /^[0-9a-f]{64}$/i;
/** What `printf "$SECRET" | sha256sum` prints if the variable is empty, and `echo` in its place. */
const NO_SECRETS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '01ba4719c80b6fe911b091a7c05124b64eeece964e09c058ef8f9805daca546b',
];
const MEMBERS = ['id', 'secret_sha256', 'rights'];

export const isClientName = (text: string): boolean => ID.test(text);

export const CLIENT_NAME = '1 to 255 letters, digits and . _ ~ @ / -';

/** Reads and checks the file. Never throws. @param allowed the rights that it may give: those that have an effect */
export function readClientsFile(path: string, allowed: readonly ClientRight[]): ClientsInFile {
  const file = readSecretFile(path);
  const found = 'text' in file ? parseClients(file.text) : { faults: [file.found] };
  if ('faults' in found) return found;
  const idle = found.clients.filter(({ rights }) => rights.some((right) => !allowed.includes(right)));
  if (idle.length === 0) return found;
  return { faults: idle.map(({ id }) => `${id} has the right global_revocation, which needs REVOKER_TOKEN`) };
}

/** Checks the content of a file. */
export function parseClients(text: string): ClientsInFile {
  const entries = entriesIn(text);
  if (typeof entries === 'string') return { faults: [entries] };
  const faults: string[] = [];
  const clients = entries.flatMap((entry, index) => {
    const found = clientOf(entry);
    if (typeof found !== 'string') return [found];
    faults.push(`client ${index + 1}${nameOf(entry)}: ${found}`);
    return [];
  });
  const ids = clients.map(({ id }) => id);
  for (const id of new Set(ids.filter((each, index) => ids.indexOf(each) < index))) {
    faults.push(`two clients with the id ${id}`);
  }
  return faults.length > 0 ? { faults } : { clients };
}

/** The entry of a client, as text for the file. */
export const clientEntry = ({ id, secretHashes, rights }: OAuthClient): string =>
  JSON.stringify({ id, secret_sha256: secretHashes, rights });

/** @returns a text that says what is wrong */
function entriesIn(text: string): readonly unknown[] | string {
  const value = parsed(text);
  if (value === undefined) return 'text that is not JSON';
  // The last one would count, also if an operator reads the first: two lists of rights, for example.
  if (hasNameTwice(text, value)) return 'JSON with two members of the same name in one object';
  const isObject = typeof value === 'object' && value !== null && Object.keys(value).join() === 'clients';
  const entries = isObject ? Object.values(value)[0] : undefined;
  return Array.isArray(entries) ? entries : 'JSON without the list "clients", or with another member beside it';
}

/** The error of JSON.parse is not shown, because it quotes the text. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @returns a text that says what is wrong */
function clientOf(entry: unknown): OAuthClient | string {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) return 'not an object';
  if (Object.keys(entry).some((name) => !MEMBERS.includes(name))) {
    return `a member that is none of ${MEMBERS.join(', ')}`;
  }
  const { id, secret_sha256: hashes, rights } = entry as Readonly<Record<string, unknown>>;
  if (typeof id !== 'string' || !isClientName(id)) return `the id must be ${CLIENT_NAME}`;
  if (!isListOf(hashes, (each) => HASH.test(each)) || hashes.length > MAX_HASHES) {
    return `secret_sha256 must be a list of 1 to ${MAX_HASHES} SHA-256 hashes, each 64 hexadecimal digits`;
  }
  if (!isListOf(rights, isRight)) return `rights must be a list of one or more of ${CLIENT_RIGHTS.join(', ')}`;
  const secretHashes = hashes.map((each) => each.toLowerCase());
  if (secretHashes.some((each) => NO_SECRETS.includes(each))) return 'secret_sha256 has the hash of an empty secret';
  return { id, secretHashes, rights: CLIENT_RIGHTS.filter((right) => rights.includes(right)) };
}

const isRight = (text: string): boolean => CLIENT_RIGHTS.some((right) => right === text);

const isListOf = (value: unknown, test: (each: string) => boolean): value is readonly string[] =>
  Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === 'string' && test(each));

const nameOf = (entry: unknown): string => {
  const id = typeof entry === 'object' && entry !== null && 'id' in entry ? entry.id : undefined;
  return typeof id === 'string' && isClientName(id) ? ` (${id})` : '';
};
