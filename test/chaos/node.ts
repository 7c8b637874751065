// One node of a chaos run: a `latchkey serve` that is killed, stopped, started again on its port, and set wrong.

import { writeFileSync } from 'node:fs';
import { TestClient } from '../support/auth-client.js';
import { type Started, startServe } from '../support/processes.js';

const START_TRIES = 3;

export interface NodeOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly preloads: readonly string[];
  /** Where the shift of its clock is written. */
  readonly clockFile: string;
}

export class ChaosNode {
  readonly #options: NodeOptions;
  /** `host:port`. It stays the same. */
  readonly address: string;
  /** What the processes that are gone have logged. */
  readonly #past: string[] = [];
  #process: Started;
  #clockMs = 0;
  readonly client: TestClient;

  private constructor(options: NodeOptions, process: Started) {
    this.#options = options;
    this.#process = process;
    this.address = process.address;
    this.client = new TestClient(process.address);
  }

  static async start(options: NodeOptions): Promise<ChaosNode> {
    return new ChaosNode(options, await launch(options, '127.0.0.1:0', 0));
  }

  /** Everything that it has logged, in all its lives. */
  get log(): string {
    return [...this.#past, this.#process.output()].join('');
  }

  /** As a crash would. */
  async kill(): Promise<void> {
    await this.#process.kill();
  }

  /** In order, while calls go on. @returns the exit code */
  stop(): Promise<number | null> {
    return this.#process.stop();
  }

  /** As a machine that is overcommitted does: its connections stay. */
  pause(): void {
    this.#process.child.kill('SIGSTOP');
  }

  resume(): void {
    this.#process.child.kill('SIGCONT');
  }

  /** Starts it again on its port, after it has ended. */
  async revive(): Promise<void> {
    this.#past.push(this.#process.output());
    for (let attempt = 1; ; attempt++) {
      try {
        this.#process = await launch(this.#options, this.address, this.#clockMs);
        return;
      } catch (error) {
        if (attempt === START_TRIES) throw error;
      }
    }
  }

  /** Sets its wall clock off. */
  setClock(shiftMs: number): void {
    this.#clockMs = shiftMs;
    writeFileSync(this.#options.clockFile, `${shiftMs}`);
    this.#process.child.kill('SIGUSR2');
  }

  async serves(): Promise<boolean> {
    this.client.deadlineMs = 1_000;
    return this.client.health().then(
      (state) => state === 'SERVING',
      () => false,
    );
  }

  async close(): Promise<void> {
    this.client.close();
    await this.#process.kill();
  }
}

const launch = ({ env, preloads, clockFile }: NodeOptions, address: string, clockMs: number): Promise<Started> =>
  startServe({ env: { ...env, GRPC_ADDRESS: address, CLOCK_FILE: clockFile }, clockMs, preloads });
