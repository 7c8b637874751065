// `npm run bench:validator`: what validation costs with the library, against ValidateToken by gRPC's client.

import { endWithChildren } from '../machine/cleanup.js';
import { leaveServerCore } from '../machine/cores.js';
import { facts } from '../machine/facts.js';
import { crowd } from './crowd.js';
import { client, memory, now, strict } from './rows.js';
import { Subject } from './subject.js';

const TOKENS = 10_000;
const MS = 4_000;
const REMEMBERED = 100_000;

const option = (name: string): string | undefined =>
  process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : undefined;
const only = option('--only')?.split(',') ?? [];
const validators = Number(option('--validators') ?? 100);
/** Where memory or cores are short, several validators share a process. */
const processes = Number(option('--processes') ?? validators);
const wants = (row: string): boolean => only.length === 0 || only.includes(row);
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const whole = (value: number): string => Math.round(value).toLocaleString('en');

leaveServerCore();
endWithChildren();
const { machine, versions, placed } = facts();
print(`- Machine: ${machine}; ${placed}.\n- Versions: ${versions}.\n\n| what | figure |\n|---|---|`);
const subject = await Subject.start(true);
try {
  const byClient = await client(subject, TOKENS);
  const call = `${whole(byClient.perCoreS)} a core s, ${whole(byClient.perS)}/s, p99 ${byClient.p99Ms.toFixed(1)} ms, serve ${byClient.serveUs.toFixed(1)} µs`;
  print(`| ValidateToken by gRPC's client, ${TOKENS} tokens in turn, 128 at once | ${call} |`);
  if (wants('now')) {
    const perS = await now(subject, TOKENS, MS);
    print(
      `| validateNow, ${TOKENS} tokens in turn | ${whole(perS)} a core s, ${(perS / byClient.perCoreS).toFixed(0)} times that |`,
    );
  }
  if (wants('strict')) {
    const { perS, perCoreS, p50Ms, p99Ms, serveUs, batch } = await strict(subject, TOKENS);
    const waits = `p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms`;
    const share = `${batch.toFixed(0)} a call, serve ${serveUs.toFixed(1)} µs, ${(serveUs / byClient.serveUs).toFixed(2)} of that`;
    print(
      `| strict, 256 callers, ${TOKENS} tokens | ${whole(perCoreS)} a core s, ${whole(perS)}/s, ${waits}, ${share} |`,
    );
  }
  if (wants('crowd')) {
    const found = await crowd(subject, { processes, each: validators / processes, ms: 2 * MS });
    const cost = (found.requestsPerS * byClient.serveUs) / 1e6;
    const share = `${(found.serveCores / cost).toFixed(3)} of the ${cost.toFixed(1)} cores of as many ValidateToken`;
    const asked = `${whole(found.asksPerS)} tokens/s in ${whole(found.callsPerS)} calls/s`;
    const waited = `${whole(found.waitedPerMillion)} of a million waited, ${found.failed} failed`;
    print(
      `| ${validators} validators in ${processes} processes, 200 hot tokens and 1000/s each, maxStaleness 2s | ${whole(found.requestsPerS)}/s, serve ${found.serveCores.toFixed(2)} cores: ${share}; ${asked}; ${waited} |`,
    );
  }
  if (wants('memory')) {
    const { bytes, chars, held } = await memory(subject, REMEMBERED);
    print(
      `| ${whole(REMEMBERED)} remembered tokens of ${chars} characters | ${whole(bytes)} bytes a token, ${whole(held)} MiB |`,
    );
  }
  for (const line of subject.service.complaints()) print(line);
} finally {
  await subject.stop();
}
