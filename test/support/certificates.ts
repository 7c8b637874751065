// The certificates of tests: authorities and what they sign (RFC 5280), made on the spot, with any names and times.

import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { bare, bits, integer, objectId, octets, sequence, set, tagged, time, utf8, yes } from './der.js';

const DAY_MS = 24 * 60 * 60 * 1000;
const ECDSA_SHA256 = sequence(objectId('1.2.840.10045.4.3.2'));
const PURPOSES = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' } as const;

/** What a certificate says. */
export interface Wish {
  readonly commonName?: string;
  /** `DNS:…`, `URI:…` or `IP:…`, taken as they are, whatever is in them. */
  readonly names?: readonly string[];
  readonly purposes?: readonly (keyof typeof PURPOSES)[];
  /** The bits of an RSA key; undefined: the key is on P-256. */
  readonly rsaBits?: number;
  /** From now, ms. */
  readonly startsInMs?: number;
  readonly endsInMs?: number;
}

/** A certificate and its key, in PEM. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** A certificate authority. */
export class Authority {
  readonly cert: string;
  readonly #name: string;
  readonly #key: KeyObject;

  constructor(name: string, endsInMs = 365 * DAY_MS) {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.#name = name;
    this.#key = privateKey;
    const isAuthority = extension('2.5.29.19', sequence(yes()), true);
    const signs = extension('2.5.29.15', bits(Buffer.from([0x06]), 1), true);
    this.cert = this.#sign(publicKey, { commonName: name, endsInMs }, [isAuthority, signs]);
  }

  issue({ names = [], purposes = ['server', 'client'], rsaBits, ...wish }: Wish = {}): Pair {
    const { privateKey, publicKey } =
      rsaBits === undefined
        ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
        : generateKeyPairSync('rsa', { modulusLength: rsaBits });
    const usage = extension('2.5.29.37', sequence(...purposes.map((purpose) => objectId(PURPOSES[purpose]))));
    const alternatives = names.length === 0 ? [] : [extension('2.5.29.17', sequence(...names.map(alternativeName)))];
    const cert = this.#sign(publicKey, wish, [usage, ...alternatives]);
    return { cert, key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
  }

  #sign(publicKey: KeyObject, wish: Wish, extensions: readonly Buffer[]): string {
    const { commonName = 'test', startsInMs = -DAY_MS, endsInMs = 90 * DAY_MS } = wish;
    const nowMs = Date.now();
    const body = sequence(
      tagged(0, integer(Buffer.from([2]))),
      integer(Buffer.concat([Buffer.from([1]), randomBytes(15)])),
      ECDSA_SHA256,
      distinguishedName(this.#name),
      sequence(time(nowMs + startsInMs), time(nowMs + endsInMs)),
      distinguishedName(commonName),
      publicKey.export({ type: 'spki', format: 'der' }),
      tagged(3, sequence(...extensions)),
    );
    return pem(sequence(body, ECDSA_SHA256, bits(sign('sha256', body, this.#key))));
  }
}

/** Writes a pair as files of one name, the key for its owner alone, and says where they are. */
export function writePair(folder: string, name: string, { cert, key }: Pair): { cert: string; key: string } {
  mkdirSync(folder, { recursive: true });
  const paths = { cert: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) };
  writeFileSync(paths.cert, cert);
  writeFileSync(paths.key, key, { mode: 0o600 });
  return paths;
}

/** Writes some text as a file, and says where. */
export function writeFile(folder: string, name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const extension = (id: string, value: Buffer, critical = false): Buffer =>
  sequence(objectId(id), ...(critical ? [yes()] : []), octets(value));

const distinguishedName = (commonName: string): Buffer =>
  sequence(set(sequence(objectId('2.5.4.3'), utf8(commonName))));

function alternativeName(name: string): Buffer {
  const [, kind, text = ''] = /^(DNS|URI|IP):(.*)$/s.exec(name) ?? [];
  if (kind === 'IP') {
    const bytes = isIP(text) === 4 ? text.split('.').map(Number) : [...Buffer.alloc(15), 1];
    return bare(7, Buffer.from(bytes));
  }
  return bare(kind === 'URI' ? 6 : 2, Buffer.from(text, 'utf8'));
}

const pem = (der: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replace(/.{1,64}/g, '$&\n')}-----END CERTIFICATE-----\n`;
