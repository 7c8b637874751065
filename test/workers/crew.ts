// A real `latchkey serve` with workers, as tests see it: who answers, whose process it is, and who still lives.

import { readFileSync } from 'node:fs';
import { type ChannelOptions, credentials, Metadata } from '@grpc/grpc-js';
import { HealthClient } from '../../proto/gen/grpc/health/v1/health.js';
import { TestClient } from '../support/auth-client.js';
import { ISSUER_TOKEN, JWT_SECRET, type Started, type StartOptions, start } from '../support/processes.js';

/** A whole start of two workers, one after the other, on a machine that has much else to do. */
export const CREW_MS = 40_000;
const CALL_MS = 30_000;
/** Clients of one process share a connection otherwise. */
const APART: ChannelOptions = { 'grpc.use_local_subchannel_pool': 1 };

export class Crew {
  readonly process: Started;
  readonly address: string;
  readonly #clients: { close(): void }[] = [];

  private constructor(process: Started) {
    this.process = process;
    this.address = process.address;
  }

  /** Starts two workers, or as many as WORKERS says, and waits for all of them. @param workers 1: no workers at all */
  static async start({ workers = 2, ...options }: StartOptions & { readonly workers?: number }): Promise<Crew> {
    const ready = workers === 1 ? 'service listening' : 'the workers have started';
    const env = { GRPC_ADDRESS: '127.0.0.1:0', WORKERS: '2', JWT_SECRET, ISSUER_TOKEN, ...options.env };
    return new Crew(await start('serve', ready, { readyMs: CREW_MS, ...options, env }));
  }

  /** A client with a connection of its own. */
  client(address = this.address): TestClient {
    const client = new TestClient(address, credentials.createInsecure(), APART);
    this.#clients.push(client);
    return client;
  }

  /** Which worker answers to a new connection, by what health says. */
  async answering(): Promise<number> {
    const client = new HealthClient(this.address, credentials.createInsecure(), APART);
    try {
      return await new Promise<number>((resolve, reject) => {
        const options = { deadline: Date.now() + CALL_MS };
        const call = client.check({ service: '' }, new Metadata(), options, (error) => error && reject(error));
        call.on('status', ({ metadata }) => resolve(Number(metadata.get('latchkey-worker')[0])));
      });
    } finally {
      client.close();
    }
  }

  /** The log's lines with a message. */
  said(message: string): Record<string, unknown>[] {
    return this.process.lines().filter(({ msg }) => msg === message);
  }

  /** The processes of all workers so far, by their numbers, in the order of their starts. */
  get pids(): ReadonlyMap<number, number> {
    return new Map(this.said('service listening').map(({ worker, pid }) => [Number(worker), Number(pid)]));
  }

  /** The numbers of the workers that live. */
  get living(): number[] {
    return [...this.pids].filter(([, pid]) => isAlive(pid)).map(([worker]) => worker);
  }

  signal(signal: NodeJS.Signals): void {
    this.process.child.kill(signal);
  }

  /** Ends it, at once, with all workers. */
  async clear(): Promise<void> {
    for (const client of this.#clients.splice(0)) client.close();
    const pids = [...this.pids.values()];
    await this.process.kill();
    for (const pid of pids.filter(isAlive)) process.kill(pid, 'SIGKILL');
  }
}

/** Whether a process runs; one that has ended and waits to be noticed does not. */
export function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
