// A running service that takes the keys, the issuer and the audiences of forged tokens, and a client of it.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isSessionId, sessionStartMs } from '../../src/core/token/session-id.js';
import { TestClient } from '../support/auth-client.js';
import { serveInProcess } from '../support/in-process.js';
import { JWT_SECRET, type Running } from '../support/processes.js';
import { until } from '../support/waiting.js';
import * as forge from './forge.js';

export class AttackedService {
  readonly client: TestClient;
  readonly #service: Running;
  readonly #folder: string;

  private constructor(service: Running, folder: string) {
    this.client = new TestClient(service.address);
    this.#service = service;
    this.#folder = folder;
  }

  static async start(): Promise<AttackedService> {
    const folder = mkdtempSync(join(tmpdir(), 'latchkey-attacks-'));
    writeFileSync(join(folder, 'es256.pem'), forge.ecPem, { mode: 0o600 });
    const env = { DATA_DIR: join(folder, 'data'), JWT_KEYS_DIR: folder, JWT_SECRET };
    const running = await serveInProcess({ ...env, JWT_ISSUER: forge.ISSUER, JWT_AUDIENCE: 'api,web' });
    const attacked = new AttackedService(running, folder);
    // A session must start after the birth of the store, as the first login does.
    const { sessionId } = await attacked.client.issue();
    await until(() => isSessionId(sessionId) && Date.now() > sessionStartMs(sessionId));
    return attacked;
  }

  async stop(): Promise<void> {
    this.client.close();
    await this.#service.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
