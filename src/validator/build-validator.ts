// The composition of a validator: options, clocks, connections, and the TLS files that each connection reads anew.

import { formatAddress } from '../platform/env/values.js';
import { readTls, stampOf, type TlsFiles, type TlsMaterial } from '../platform/tls/pem.js';
import type { Validator, ValidatorOptions } from './api.js';
import { type Clock, SYSTEM_CLOCK } from './clock.js';
import { Connection } from './connection.js';
import { Connections } from './connections.js';
import { readOptions } from './options.js';
import { LocalValidator } from './validator.js';

/** What tests replace. */
export interface Overrides {
  readonly clock?: Clock;
  /** 0 to 1. */
  readonly random?: () => number;
}

/** @throws TypeError, TlsFileError */
export function buildValidator(options: ValidatorOptions, overrides: Overrides = {}): Validator {
  const settings = readOptions(options);
  const { clock = SYSTEM_CLOCK, random = Math.random } = overrides;
  const { tls } = settings;
  const material = tls && currentMaterial(tls.files);
  const addresses = new Map(settings.addresses.map((address) => [formatAddress(address), address]));
  const connections = [...addresses.values()].map(
    (address) => new Connection(address, material && { name: tls?.name ?? address.host, material }),
  );
  return new LocalValidator(settings, { clock, random, connections: new Connections(connections, random) });
}

/**
 * The content of the files, read again after a change. Files that cannot be used leave the last content in use: a
 * certificate and its key are replaced one after the other.
 * @throws TlsFileError if they cannot be used from the start
 */
function currentMaterial(files: TlsFiles): () => TlsMaterial {
  let stamp = stampOf(files);
  let current = readTls(files);
  return () => {
    const found = stampOf(files);
    if (found === stamp) return current;
    try {
      current = readTls(files);
      stamp = found;
    } catch {
      // The stamp stays, so that the next connection reads them again.
    }
    return current;
  };
}
