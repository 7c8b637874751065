// The scene of the middlewares' tests: a real service with ES256 keys, and a validator of this process.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeKey, writeKey } from '../../src/adapters/jwt/key-files.js';
import type { Validator } from '../../src/validator/api.js';
import { createValidator } from '../../src/validator/create-validator.js';
import { TestClient } from '../support/auth-client.js';
import { type Started, startServe } from '../support/processes.js';

export const MAX_STALENESS_MS = 300;

export class Guarded {
  readonly client: TestClient;
  readonly validator: Validator;
  readonly #service: Started;
  readonly #folder: string;
  #paused = false;

  private constructor(service: Started, folder: string) {
    this.#service = service;
    this.#folder = folder;
    this.client = new TestClient(service.address);
    this.validator = createValidator({ address: service.address, maxStaleness: MAX_STALENESS_MS, deadline: '1s' });
  }

  static async start(): Promise<Guarded> {
    const folder = mkdtempSync(join(tmpdir(), 'latchkey-guarded-'));
    const keys = join(folder, 'keys');
    writeKey(keys, 'first', makeKey('ES256').pem);
    const service = await startServe({ env: { DATA_DIR: join(folder, 'data'), JWT_KEYS_DIR: keys } });
    return new Guarded(service, folder);
  }

  async token(subject = 'alice', claims?: Record<string, unknown>): Promise<string> {
    return (await this.client.issue(subject, claims)).accessToken;
  }

  /** Stops the service's process, so that it answers nothing, as a machine that hangs does. */
  pause(): void {
    this.#service.child.kill('SIGSTOP');
    this.#paused = true;
  }

  resume(): void {
    if (this.#paused) this.#service.child.kill('SIGCONT');
    this.#paused = false;
  }

  async stop(): Promise<void> {
    this.resume();
    this.client.close();
    await this.validator.close();
    await this.#service.kill();
    rmSync(this.#folder, { recursive: true });
  }
}
