// The reader of TLS files: a certificate, its key and CA certificates, checked before use. Imports only Node.

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createSecureContext } from 'node:tls';

/** The least TLS version (RFC 8996), regardless of Node's command line. */
export const MIN_TLS = 'TLSv1.2';
const OPEN_TO_OTHERS = 0o007;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Paths of PEM files. A certificate and its key are both present or both absent. */
export interface TlsFiles {
  /** The own certificate, followed by its intermediate certificates. */
  readonly cert: string | undefined;
  readonly key: string | undefined;
  /** The CA certificates that the peer's certificate must chain to. */
  readonly ca: string | undefined;
}

/** The validity of a file's certificates, Unix ms. */
export interface Validity {
  readonly file: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** The content of the files. */
export interface TlsMaterial {
  /** PEM, for Node's TLS. A member is absent if there is no file for it. */
  readonly pem: { readonly cert?: Buffer; readonly key?: Buffer; readonly ca?: Buffer };
  readonly validities: readonly Validity[];
}

/** A TLS file cannot be used. The message names the file, and contains nothing of its content. */
export class TlsFileError extends Error {
  readonly code = 'TLS_FILE_ERROR';
  override readonly name = 'TlsFileError';
}

/** Reads and checks the files. @throws TlsFileError */
export function readTls({ cert, key, ca }: TlsFiles): TlsMaterial {
  const shown = cert === undefined ? undefined : readCertificates(cert);
  const trusted = ca === undefined ? undefined : readCertificates(ca);
  const secret = key === undefined ? undefined : readKey(key);
  const [leaf] = shown?.certificates ?? [];
  if (leaf && secret && !leaf.checkPrivateKey(createPrivateKey(secret))) {
    throw new TlsFileError(`${key}: this is not the key of the certificate in ${cert}`);
  }
  const pem = {
    ...(shown ? { cert: shown.pem } : {}),
    ...(secret ? { key: secret } : {}),
    ...(trusted ? { ca: trusted.pem } : {}),
  };
  try {
    createSecureContext({ ...pem, minVersion: MIN_TLS });
  } catch (error) {
    throw new TlsFileError(`${[cert, key, ca].filter(Boolean).join(', ')}: ${reasonOf(error)}`, { cause: error });
  }
  const validities = [
    ...(cert && leaf ? [{ file: cert, ...validityOf(leaf) }] : []),
    // For several CA certificates the latest end counts: a bundle may contain expired ones beside new ones.
    ...(ca && trusted ? [{ file: ca, ...longest(trusted.certificates.map(validityOf)) }] : []),
  ];
  return { pem, validities };
}

/** A text that changes whenever a file is written or replaced, or a symbolic link to it changes. */
export const stampOf = ({ cert, key, ca }: TlsFiles): string => [cert, key, ca].map(stampOfFile).join();

function stampOfFile(path: string | undefined): string {
  if (path === undefined) return '';
  try {
    const { dev, ino, size, mode, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
    return [dev, ino, size, mode, mtimeNs, ctimeNs].join(':');
  } catch (error) {
    return reasonOf(error);
  }
}

function readCertificates(path: string): { pem: Buffer; certificates: readonly X509Certificate[] } {
  const pem = read(path);
  const text = pem.toString('latin1');
  const blocks = text.match(CERTIFICATE) ?? [];
  if (blocks.length === 0) throw new TlsFileError(`${path}: holds no PEM certificate`);
  if (blocks.length !== text.split('-----BEGIN CERTIFICATE-----').length - 1) {
    throw new TlsFileError(`${path}: a certificate in it is incomplete`);
  }
  const certificates = blocks.map((block, index) => {
    try {
      return new X509Certificate(block);
    } catch {
      throw new TlsFileError(`${path}: certificate ${index + 1} in it cannot be read`);
    }
  });
  return { pem, certificates };
}

function readKey(path: string): Buffer {
  const pem = read(path);
  if (process.platform !== 'win32' && statSync(path).mode & OPEN_TO_OTHERS) {
    throw new TlsFileError(`${path}: every user of this machine can access it; run: chmod o= '${path}'`);
  }
  if (/^-----BEGIN ENCRYPTED|^Proc-Type: .*ENCRYPTED/m.test(pem.toString('latin1'))) {
    throw new TlsFileError(`${path}: the key is encrypted; use one without a passphrase that only its owner can read`);
  }
  try {
    createPrivateKey(pem);
  } catch {
    throw new TlsFileError(`${path}: holds no PEM private key`);
  }
  return pem;
}

function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new TlsFileError(`${path}: ${reasonOf(error)}`, { cause: error });
  }
}

function validityOf({ validFrom, validTo }: X509Certificate) {
  return { notBeforeMs: Date.parse(validFrom), notAfterMs: Date.parse(validTo) };
}

const longest = (all: readonly ReturnType<typeof validityOf>[]) =>
  all.reduce((one, other) => (other.notAfterMs > one.notAfterMs ? other : one));

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
