// What tests of TLS have in common: two authorities, a folder with the service's files, and clients of every kind.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import type { TlsFiles } from '../../src/platform/tls/pem.js';
import { TestClient } from './auth-client.js';
import { Authority, type Pair, type Wish, writeFile, writePair } from './certificates.js';

export const LOCAL = ['DNS:localhost', 'IP:127.0.0.1', 'IP:::1'];

export class TlsScene {
  readonly folder = mkdtempSync(join(tmpdir(), 'latchkey-tls-'));
  readonly authority = new Authority('our authority');
  readonly foreign = new Authority('a foreign authority');
  readonly ca = writeFile(this.folder, 'ca.crt', this.authority.cert);
  readonly foreignCa = writeFile(this.folder, 'foreign-ca.crt', this.foreign.cert);
  readonly server = writePair(this.folder, 'server', this.authority.issue({ names: LOCAL }));
  readonly #clients: TestClient[] = [];

  /** The paths of a listener's files. */
  files(options: { readonly asksClients?: boolean } = {}): TlsFiles {
    return { ...this.server, ca: options.asksClients ? this.ca : undefined };
  }

  /** Writes a certificate for a client, and says where. */
  pair(name: string, wish: Wish = {}, authority = this.authority): { cert: string; key: string } {
    return writePair(this.folder, name, authority.issue(wish));
  }

  /** Puts another certificate in the server's place. */
  replaceServer(pair: Pair): void {
    writeFileSync(this.server.cert, pair.cert);
    writeFileSync(this.server.key, pair.key);
  }

  /** A client by the library's own TLS, each with a connection of its own. @param shown what it shows; @param ca whom it believes */
  client(address: string, shown?: Pair, ca = this.authority.cert): TestClient {
    const [key, cert] = shown ? [Buffer.from(shown.key), Buffer.from(shown.cert)] : [];
    // By name: the library would send an IP address as a server's name.
    const where = address.replace('127.0.0.1', 'localhost');
    const channel = credentials.createSsl(Buffer.from(ca), key ?? null, cert ?? null);
    return this.#kept(new TestClient(where, channel, { 'grpc.use_local_subchannel_pool': 1 }));
  }

  plainClient(address: string): TestClient {
    return this.#kept(new TestClient(address, undefined, { 'grpc.use_local_subchannel_pool': 1 }));
  }

  clear(): void {
    for (const client of this.#clients.splice(0)) client.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #kept(client: TestClient): TestClient {
    this.#clients.push(client);
    return client;
  }
}
