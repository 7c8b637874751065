// Load by `h2load`, where it is installed: the cheapest client, with one message that it repeats.
// It takes every answer with HTTP's 200 for a good one, whatever its gRPC status. So its user must look at the answers
// in another way.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { quantile } from '../figures.js';
import { PREFIX_BYTES } from './frames.js';

export const HAS_H2LOAD = spawnSync('h2load', ['--version']).status === 0;

export interface Repeated {
  readonly url: string;
  readonly message: Uint8Array;
  readonly connections: number;
  readonly streams: number;
  readonly calls: number;
}

export interface Repeat {
  /** Answered with HTTP's 200. */
  readonly answered: number;
  readonly tookMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** @throws Error with what it printed, if it failed */
export async function h2load({ url, message, connections, streams, calls }: Repeated): Promise<Repeat> {
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-h2load-'));
  try {
    const [body, log] = [join(folder, 'body'), join(folder, 'log')];
    const prefix = Buffer.alloc(PREFIX_BYTES);
    prefix.writeUInt32BE(message.length, 1);
    await writeFile(body, Buffer.concat([prefix, message]));
    const sizes = ['-n', `${calls}`, '-c', `${connections}`, '-m', `${streams}`];
    const headers = ['te: trailers', 'content-type: application/grpc'].flatMap((header) => ['-H', header]);
    const child = spawn('h2load', [...sizes, ...headers, '-d', body, `--log-file=${log}`, url]);
    let printed = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (printed += chunk));
    await once(child, 'close');
    const [, seconds, unit] = /^finished in ([\d.]+)(m?s)/m.exec(printed) ?? [];
    const [, answered] = /, (\d+) succeeded/.exec(printed) ?? [];
    if (seconds === undefined || answered === undefined) throw new Error(`h2load failed:\n${printed}`);
    // One line a call: its start, its status, how long it took in µs.
    const tookMs = (await readFile(log, 'utf8')).split('\n').map((line) => Number(line.split('\t')[2]) / 1000);
    const known = tookMs.filter(Number.isFinite);
    return {
      answered: Number(answered),
      tookMs: Number(seconds) * (unit === 's' ? 1000 : 1),
      p50Ms: quantile(known, 0.5),
      p99Ms: quantile(known, 0.99),
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}
