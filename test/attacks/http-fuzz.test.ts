// The fuzz test of HTTP: randomly mutated requests get only answers from a list, and each connection ends in time.

import { randomInt } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { RunningGateway } from '../gateway/running-gateway.js';
import { cases } from '../support/soak.js';
import { answerWithin, elapse } from '../support/waiting.js';
import { ROWS } from './http-cases.js';
import { RawClient } from './raw-http.js';
import { ServerSockets } from './server-sockets.js';

/** How many connections are tried; FUZZ_CASES sets another number, SEED repeats a run. */
const CASES = cases('FUZZ_CASES', { short: 300, soak: 20_000 });
const SEED = Number(process.env['SEED'] ?? randomInt(2 ** 31));
/** How many connections are open at a time. */
const BATCH = 150;
const LIMITS = { headersMs: 200, requestMs: 300, keepAliveMs: 50, stalledMs: 400, checkEveryMs: 20 };
/** Node keeps an idle connection for a second longer than its `keepAliveTimeout`. */
const BOUND_MS = 4_000;
const STATUSES = [100, 200, 204, 304, 400, 401, 403, 404, 405, 406, 408, 413, 415, 417, 429, 431];

const good = Object.values(ROWS)
  .flat()
  .filter(({ then, bytes }) => then === 'serves' && bytes.length < 2_000)
  .map(({ bytes }) => bytes);

const BITS = [
  '\r\n',
  '\n',
  '\r',
  '\0',
  ' ',
  '\t',
  ':',
  ';',
  ',',
  '0',
  '-1',
  '\xff',
  '%',
  '/',
  '\r\n\r\n',
  'HTTP/1.1',
  'chunked',
];
const LINES = [
  'Content-Length: 3\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Connection: close\r\n',
  'Expect: 100-continue\r\n',
];
const bit = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...BITS, ...LINES) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) },
);

/** A change of bytes at a place. */
type Change = readonly [how: 'set' | 'insert' | 'delete' | 'double' | 'cut', where: number, much: number, what: string];
const changes: fc.Arbitrary<readonly Change[]> = fc.array(
  fc.tuple(
    fc.constantFrom('set', 'insert', 'insert', 'delete', 'double', 'cut'),
    fc.nat(),
    fc.integer({ min: 1, max: 40 }),
    bit,
  ),
  { minLength: 0, maxLength: 4 },
);

function changed(bytes: string, [how, where, much, what]: Change): string {
  const at = where % (bytes.length + 1);
  const before = bytes.slice(0, at);
  if (how === 'set') return before + what + bytes.slice(at + what.length);
  if (how === 'insert') return before + what + bytes.slice(at);
  if (how === 'delete') return before + bytes.slice(at + much);
  return how === 'double' ? before + bytes.slice(at, at + much) + bytes.slice(at) : before;
}

interface Attack {
  readonly bytes: string;
  /** Where the bytes are parted into two writes. */
  readonly part: number;
  /** Whether the client closes its half once it has sent everything. */
  readonly closes: boolean;
}

const attacks: fc.Arbitrary<Attack> = fc.record({
  bytes: fc
    .tuple(fc.array(fc.constantFrom(...good), { minLength: 1, maxLength: 3 }), changes)
    .map(([requests, all]) => all.reduce(changed, requests.join(''))),
  part: fc.nat(),
  closes: fc.boolean(),
});

describe('a fuzzer of the gateway', function () {
  this.timeout(24 * 3_600_000);
  let gateway: RunningGateway;
  let sockets: ServerSockets;
  const seen = new Map<number, number>();

  before(async () => {
    sockets = new ServerSockets(() => gateway.address.port);
    gateway = await RunningGateway.start({ limits: LIMITS, oauth: true });
  });
  after(async () => {
    sockets.stop();
    await gateway.stop();
  });

  async function run({ bytes, part, closes }: Attack): Promise<void> {
    const client = await RawClient.open(gateway.address);
    const at = part % (bytes.length + 1);
    client.send(bytes.slice(0, at));
    await elapse(1, 'two parts, apart');
    client.send(bytes.slice(at));
    if (closes) client.socket.end();
    const ended = await answerWithin(
      BOUND_MS,
      client.closed.then(() => true),
    );
    client.socket.destroy();
    try {
      if (ended === undefined) throw new Error('the connection did not end in time');
      for (const { status } of client.answers) {
        if (!STATUSES.includes(status)) throw new Error(`answered ${status}`);
        seen.set(status, (seen.get(status) ?? 0) + 1);
      }
    } catch (cause) {
      throw new Error(`${cause}, to ${JSON.stringify({ bytes, at, closes })}`, { cause });
    }
  }

  it(`gets answers from a fixed list, and the end of each connection in time (${CASES} connections, seed ${SEED})`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(attacks, { minLength: BATCH, maxLength: BATCH }), async (batch) => {
        await Promise.all(batch.map(run));
      }),
      // Not shrunk: a batch takes its second, and the error has the bytes.
      { numRuns: Math.ceil(CASES / BATCH), seed: SEED, endOnFailure: true },
    );
    if (process.env['FUZZ_CASES'] !== undefined) process.stdout.write(`${JSON.stringify(Object.fromEntries(seen))}\n`);
    // The mutants must be near enough to good requests that some are answered as good ones.
    if (CASES >= 600) expect([...seen.keys()]).to.include.members([100, 200, 204, 400, 404, 405, 408]);
    await sockets.fallTo(0, BOUND_MS);
    expect(sockets.size, 'connections').to.equal(0);
    expect(gateway.log.filter((line) => /"level":"(error|fatal)"/.test(line))).to.deep.equal([]);
    expect((await gateway.ask('/healthz')).status).to.equal(200);
  });
});
