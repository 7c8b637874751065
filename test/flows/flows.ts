// The calls of three flows, each measured alone in a real service and a real gateway on Redis.

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TokenPair } from '../../proto/gen/auth/v1/token.js';
import { TestClient } from '../support/auth-client.js';
import { JWT_SECRET, type Started, type StartOptions, startGateway, startServe } from '../support/processes.js';
import { RedisServer } from '../support/redis-server.js';
import { elapse, until } from '../support/waiting.js';
import { calledIn, commonTo, type ScriptCoverage } from './coverage.js';

const RECORDER = new URL('./recorder.js', import.meta.url).href;
/** The number of calls that fill the caches of the process. */
const WARM_CALLS = 10;
/** Enough runs that what a process does once a second is not in all of them. */
const RUNS = 6;
/** The line of a call in the log comes in the turns after its response. */
const AFTERWARDS_MS = 10;
const ANSWER_MS = 30_000;

export interface Flow {
  readonly name: string;
  /** The functions that a call enters, and the file of each one. */
  readonly called: ReadonlyMap<string, string>;
}

/** A process whose calls are recorded. */
class Recorded {
  readonly #process: Started;
  readonly #file: string;

  private constructor(process: Started, file: string) {
    this.#process = process;
    this.#file = file;
  }

  static async start(file: string, begin: (options: StartOptions) => Promise<Started>, env: StartOptions['env']) {
    return new Recorded(await begin({ preloads: [RECORDER], env: { ...env, FLOW_COVERAGE: file } }), file);
  }

  get address(): string {
    return this.#process.address;
  }

  /** Begins a record, or ends it. @returns what was called in it */
  async signal(): Promise<readonly ScriptCoverage[]> {
    rmSync(this.#file, { force: true });
    this.#process.child.kill('SIGUSR2');
    await until(() => existsSync(this.#file), ANSWER_MS);
    return JSON.parse(readFileSync(this.#file, 'utf8')) as ScriptCoverage[];
  }

  stop(): Promise<number | null> {
    return this.#process.stop();
  }
}

/** @param prepare what a call needs, which is not measured */
async function measure<Need>(
  processes: readonly Recorded[],
  prepare: () => Promise<Need>,
  call: (need: Need) => Promise<unknown>,
): Promise<ReadonlyMap<string, string>> {
  for (let n = 0; n < WARM_CALLS; n++) await call(await prepare());
  const runs: ReadonlyMap<string, string>[] = [];
  for (let run = 0; run < RUNS; run++) {
    const need = await prepare();
    await elapse(AFTERWARDS_MS, 'what the call before left behind ends');
    await Promise.all(processes.map((each) => each.signal()));
    await call(need);
    await elapse(AFTERWARDS_MS, 'what follows the answer ends');
    runs.push(calledIn((await Promise.all(processes.map((each) => each.signal()))).flat()));
  }
  return commonTo(runs);
}

async function post(url: string, refresh: string): Promise<unknown> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ refresh }),
  });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return response.json();
}

/** Measures all flows with one Redis, HS256 and default settings. */
export async function measureFlows(): Promise<readonly Flow[]> {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-flows-'));
  const redis = await RedisServer.start();
  const service = await Recorded.start(join(folder, 'service'), startServe, { REDIS_URL: redis.url, JWT_SECRET });
  const gateway = await Recorded.start(
    join(folder, 'gateway'),
    (options) => startGateway(service.address, options),
    {},
  );
  const client = new TestClient(service.address);
  const both = [gateway, service];
  const pair = (): Promise<TokenPair> => client.issue();
  try {
    const { accessToken } = await pair();
    let { refreshToken: refresh } = await pair();
    return [
      {
        name: 'ValidateToken, cached',
        called: await measure(
          [service],
          async () => accessToken,
          (token) => client.validate(token),
        ),
      },
      {
        name: 'RefreshToken by REST',
        called: await measure(
          both,
          async () => refresh,
          async (token) => {
            ({ refresh } = (await post(`http://${gateway.address}/api/auth/token/refresh/`, token)) as {
              refresh: string;
            });
          },
        ),
      },
      {
        name: 'Logout by gRPC',
        called: await measure([service], pair, ({ refreshToken }) => client.logout({ refreshToken })),
      },
      {
        name: 'Logout by REST',
        called: await measure(both, pair, ({ refreshToken }) =>
          post(`http://${gateway.address}/api/auth/logout/`, refreshToken),
        ),
      },
    ];
  } finally {
    client.close();
    await gateway.stop();
    await service.stop();
    await redis.stop();
    rmSync(folder, { recursive: true });
  }
}
