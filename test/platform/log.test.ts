// Tests that the log has what it should, and neither tokens nor passwords.

import { spawnSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Secret } from '../../src/platform/env.js';
import { createLogger, fitPipeBuf, type Logger, type LogLevel } from '../../src/platform/log.js';
import { redactByShape } from '../../src/platform/redaction.js';
import { ownCpuMs } from '../support/processor-time.js';
import { elapse } from '../support/waiting.js';

const HEADER = 'eyJhbGciOiJFUzI1NiIsImtpZCI6ImEifQ';
const PAYLOAD = 'eyJzdWIiOiJ1IiwiZ2VuIjowfQ';
const SIGNATURE = 'MEUCIQD1x-Zk9VbQ2mWcT7uYp3sLr8nJd4fGh6aKe0oXiB5v_RwStHcN7yPqZzEjUgMlDk2A1F3C9B8I6O4K5T7YWQ';
const SHORT_SIGNATURE = 'SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c';
const TOKEN = `${HEADER}.${PAYLOAD}.${SIGNATURE}`;

function record(level: LogLevel = 'trace'): {
  log: Logger;
  lines: () => Record<string, unknown>[];
  text: () => string;
} {
  let written = '';
  const destination = {
    write: (line: string) => {
      written += line;
    },
  };
  return {
    log: createLogger({ level, name: 'test', destination }),
    text: () => written,
    lines: () =>
      written
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}

describe('log', () => {
  it('writes one line of JSON with level, time, name and message', () => {
    const { log, lines } = record();
    log.info({ port: 1 }, 'listening');
    const [line] = lines();
    expect(line).to.include({ level: 'info', name: 'test', port: 1, msg: 'listening' });
    expect(line?.['time']).to.match(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/);
  });

  it('writes the time at which each line was made, from one second to the next', async () => {
    const { log, lines } = record();
    const between: [beforeMs: number, afterMs: number][] = [];
    // Longer than a second, so that milliseconds of one to three digits occur.
    for (const endMs = Date.now() + 1_100; Date.now() < endMs; await elapse(2, 'paces lines')) {
      const beforeMs = Date.now();
      log.info({}, 'now');
      between.push([beforeMs, Date.now()]);
    }
    const written = lines();
    for (const [n, [beforeMs, afterMs]] of between.entries()) {
      const time = String(written[n]?.['time']);
      expect(new Date(time).toISOString()).to.equal(time);
      expect(Date.parse(time)).to.be.within(beforeMs, afterMs);
    }
  });

  it('writes nothing below its level', () => {
    const { log, text } = record('warn');
    log.info({}, 'a');
    expect(text()).to.equal('');
    log.warn({}, 'b');
    expect(text()).not.to.equal('');
    const silent = record('silent');
    silent.log.error({}, 'c');
    expect(silent.text()).to.equal('');
  });

  it("puts a child's fields to each of its lines", () => {
    const { log, lines } = record();
    log.child({ requestId: 'a' }).warn({ b: 1 }, 'c');
    expect(lines()[0]).to.include({ requestId: 'a', b: 1 });
  });

  describe('fields that are never written', () => {
    const names = ['authorization', 'token', 'tokens', 'refresh', 'access', 'refresh_token', 'access_token'];
    for (const name of [...names, 'refreshToken', 'accessToken', 'secret', 'password', 'cookie']) {
      it(`hides ${name}, at the top and one level down, in a child too`, () => {
        const { log, text } = record();
        log.info({ [name]: 'sesame', inner: { [name]: 'sesame' } }, 'a');
        log.child({ [name]: 'sesame' }).info({}, 'b');
        expect(text()).not.to.contain('sesame');
        expect(text().match(/\[redacted\]/g)).to.have.length(3);
      });
    }

    it('prints a Secret as one', () => {
      const { log, lines } = record();
      log.info({ settings: { issuer: new Secret('sesame') } }, 'a');
      expect(lines()[0]?.['settings']).to.deep.equal({ issuer: '[secret]' });
    });
  });

  describe('what has the shape of a token', () => {
    const shapes: readonly [title: string, text: string][] = [
      ['a fitPipeBuf token', TOKEN],
      ['a bearer', `Bearer ${TOKEN}`],
      ['a token in a URL', `/a?refresh=${TOKEN}&b=1`],
      ['a token in JSON within JSON', JSON.stringify({ refresh: TOKEN })],
      ['a token on a line of its own', `a\n${TOKEN}\nb`],
      ['a token after a tab', `\t${TOKEN}`],
      ['a token stuck to a word', `token${TOKEN}`],
      ['header and payload', `${HEADER}.${PAYLOAD}`],
      ['payload and signature', `${PAYLOAD}.${SIGNATURE}`],
      ['a header alone', HEADER],
      ['a token cut short', TOKEN.slice(0, HEADER.length + 9)],
      ['a signature alone', SIGNATURE],
      ['a signature of HS256 alone', SHORT_SIGNATURE],
    ];
    for (const [title, text] of shapes) {
      it(`hides ${title}: in the message, a field, a name, an error, a list`, () => {
        const { log, lines, text: written } = record();
        log.info({}, text);
        log.info({ note: text, deep: { er: { still: [text] } } }, 'a');
        log.info({ [text]: 1 }, 'b');
        log.error({ err: new Error(text, { cause: new Error(text) }) }, 'c');
        log.child({ note: text }).info({}, 'd');
        expect(lines()).to.have.length(5);
        for (const part of [...text.matchAll(/[\w-]{20,}/g)].map(([match]) => match.replace(/^token/, ''))) {
          expect(written()).not.to.contain(part);
        }
        expect(written()).to.contain('[redacted]');
      });
    }

    it('hides a signature wherever it is in a line, and nothing that is shorter', () => {
      const random = 'aB3_'.repeat(11).slice(0, 43);
      for (let at = 0; at < 100; at++) {
        const text = `${'. '.repeat(50).slice(0, at)}${random}`;
        expect(redactByShape(text), `at ${at}`).to.not.contain('aB3_');
        expect(redactByShape(`${text} and on`), `at ${at}`).to.not.contain('aB3_');
        expect(redactByShape(text.slice(0, -1)), `at ${at}`).to.equal(text.slice(0, -1));
      }
    });

    it('leaves alone what only resembles one', () => {
      const { log, lines } = record();
      const fields = {
        requestId: '0b7371ea-c557-4341-8f42-68d24f18f1a9',
        tokenId: 'a0193e3a0-1234-7abc-8def-0123456789ab.12',
        digest: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
        name: 'a-very-long-name-in-kebab-case-that-goes-on-and-on-and-on',
        word: 'importKeyJwk',
        subject: 'AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ',
        kid: 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs',
        url: 'redis://host:6379/0',
        mail: 'user@example.com',
        path: '/api/auth/token/refresh',
      };
      log.info(fields, 'https://example.com/a?b=c');
      expect(lines()[0]).to.include({ ...fields, msg: 'https://example.com/a?b=c' });
    });
  });

  describe('credentials in URLs', () => {
    for (const password of ['sesame', 'ses@ame', 'ses:ame/#?', 'ses"ame', 'ses\\ame']) {
      it(`hides the password ${password}`, () => {
        const { log, lines } = record();
        log.error({ err: new Error(`no route to redis://user:${password}@host:6379/0 now`) }, 'a');
        const [line] = lines();
        expect(JSON.stringify(line)).not.to.match(/ses.{0,3}ame/);
        expect(line?.['err']).to.have.property('message', 'no route to redis://[redacted]@host:6379/0 now');
      });
    }

    it('is not misled by a text that looks like a field', () => {
      const { log, text } = record();
      log.info({ note: `{"subject":"${SIGNATURE}"}`, inner: { subject: TOKEN } }, `"kid":"${SHORT_SIGNATURE}"`);
      for (const secret of [SIGNATURE, SHORT_SIGNATURE, PAYLOAD]) expect(text()).not.to.contain(secret);
    });

    it('hides each of several', () => {
      expect(redactByShape('"redis://a:b@h1 rediss://:c@h2"')).to.equal(
        '"redis://[redacted]@h1 rediss://[redacted]@h2"',
      );
    });
  });

  it('keeps of an error its type, message, code, stack and causes, and nothing else', () => {
    const { log, lines } = record();
    const cause = Object.assign(new RangeError('inner'), { code: 7, command: { args: ['sesame'] } });
    const error = Object.assign(new TypeError('outer', { cause }), {
      code: 'E_OUTER',
      rawPacket: Buffer.from('sesame'),
    });
    log.error({ err: error }, 'a');
    const written = lines()[0]?.['err'] as Record<string, Record<string, unknown>>;
    expect(Object.keys(written)).to.deep.equal(['type', 'message', 'code', 'stack', 'cause']);
    expect(written).to.include({ type: 'TypeError', message: 'outer', code: 'E_OUTER' });
    expect(written['cause']).to.include({ type: 'RangeError', message: 'inner', code: 7 });
    expect(JSON.stringify(written)).not.to.contain('sesame');
  });

  it('ends with causes that go in a circle, and with what is no error', () => {
    const { log, lines } = record();
    const error = new Error('round');
    error.cause = error;
    log.error({ err: error }, 'a');
    log.error({ err: 'a text' }, 'b');
    log.error({ err: undefined }, 'c');
    expect(lines()).to.have.length(3);
  });

  it('takes long lines without delay, whatever is in them', () => {
    // The processor time of this process, which other work on the machine hardly lengthens.
    const beforeMs = ownCpuMs();
    for (const piece of ['a', 'eyJ', 'a://', '.', 'eyJ.', '\\', 'a:b@', '-']) redactByShape(piece.repeat(50_000));
    expect(ownCpuMs() - beforeMs).to.be.below(2_000);
  });

  describe('on standard output', () => {
    /** What a process of its own wrote, and in which pieces: `wrote` counts the bytes of each. */
    const running = (code: string) => {
      const program = `import fs from 'node:fs';
        const wrote = [];
        const { writeSync } = fs;
        fs.writeSync = (fd, ...rest) => { const n = writeSync(fd, ...rest); if (fd === 1) wrote.push(n); return n; };
        (await import('node:module')).syncBuiltinESMExports();
        const { createLogger } = await import('${new URL('../../src/platform/log.js', import.meta.url).href}');
        const turn = () => new Promise((done) => setImmediate(done));
        ${code}`;
      const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
        encoding: 'utf8',
        timeout: 40_000,
      });
      const lines = stdout.split('\n').filter((line) => line !== '');
      return { messages: lines.map((line) => (JSON.parse(line) as { msg: string }).msg), stderr, status };
    };
    const lengthsIn = (stderr: string): number[] => JSON.parse(stderr) as number[];

    it('writes what one turn says in one piece, and what the next says in another', () => {
      const { messages, stderr } = running(`const log = createLogger({ level: 'info', name: 'test' });
        for (let n = 0; n < 10; n++) log.info({}, 'first');
        await turn();
        log.info({}, 'second');
        await turn();
        process.stderr.write(JSON.stringify(wrote));`);
      expect(messages).to.deep.equal([...Array.from({ length: 10 }, () => 'first'), 'second']);
      expect(lengthsIn(stderr)).to.have.length(2);
    });

    it('cuts no line where a turn says more than one piece holds', () => {
      for (const isShared of [true, false]) {
        const { messages, stderr } =
          running(`const log = createLogger({ level: 'info', name: 'test', isShared: ${isShared} });
          for (let n = 0; n < 200; n++) log.info({ pad: '\u00e4 '.repeat(200) }, 'line');
          await turn();
          process.stderr.write(JSON.stringify(wrote));`);
        expect(messages).to.have.length(200);
        const pieces = lengthsIn(stderr);
        expect(Math.max(...pieces)).to.be.at.most(4096);
        expect(pieces.length).to.be.below(100);
      }
    });

    it('writes warnings and errors at once, and what was said before them first', () => {
      const { messages } = running(`const log = createLogger({ level: 'info', name: 'test' });
        log.info({}, 'one'); log.warn({}, 'two'); log.info({}, 'three'); log.error({}, 'four'); log.info({}, 'five');
        process.kill(process.pid, 'SIGKILL');`);
      expect(messages).to.deep.equal(['one', 'two', 'three', 'four']);
    });

    it('keeps what several loggers say in order', () => {
      const { messages } = running(`const [a, b] = ['a', 'b'].map((name) => createLogger({ level: 'info', name }));
        for (const [log, message] of [[a, '1'], [b, '2'], [a.child({}), '3'], [b, '4']]) log.info({}, message);`);
      expect(messages).to.deep.equal(['1', '2', '3', '4']);
    });

    it('has written all that was said, however the process ends', () => {
      const ends = ['process.exit(3)', "throw new Error('nobody catches it')", "process.emitWarning('done')"];
      for (const end of ends) {
        const { messages } = running(`const log = createLogger({ level: 'info', name: 'test' });
          process.on('exit', () => log.info({}, 'at the exit'));
          log.info({}, 'one'); log.error({}, 'two'); log.info({}, 'three'); ${end};`);
        expect(messages, end).to.deep.equal(['one', 'two', 'three', 'at the exit']);
      }
    });
  });

  describe('that cannot be written', () => {
    let folder: string;
    before(() => {
      folder = mkdtempSync(join(tmpdir(), 'latchkey-log-'));
    });
    after(() => rmSync(folder, { recursive: true, force: true }));

    /** Logs 50 lines in a process of its own, each in a turn of its own, then does some more. */
    const logging = (rest: string): string[] => [
      ...['--input-type=module', '-e'],
      `const { createLogger } = await import('${new URL('../../src/platform/log.js', import.meta.url).href}');
       const log = createLogger({ level: 'info', name: 'test' });
       const say = (fields, message) => new Promise((done) => { log.info(fields, message); setImmediate(done); });
       for (let n = 0; n < 50; n += 1) await say({ n, pad: 'x '.repeat(100) }, 'line');
       ${rest}`,
    ];

    it('drops lines at the limit of its file, and goes on once there is room, on a line of its own', () => {
      const file = join(folder, 'limited');
      const rest = `(await import('node:fs')).truncateSync('${file}', 500); await say({}, 'room'); await say({}, 'more');`;
      const command = `ulimit -f 2; exec "$0" "$@" >> '${file}'`;
      const { status, stderr } = spawnSync('bash', ['-c', command, process.execPath, ...logging(rest)], {
        encoding: 'utf8',
        timeout: 40_000,
      });
      expect({ status, stderr }).to.have.property('status', 0);
      expect(JSON.parse(stderr).detail).to.include('EFBIG');
      const [room = '', more = ''] = readFileSync(file, 'utf8').trimEnd().split('\n').slice(-2);
      expect([JSON.parse(room).msg, JSON.parse(more).msg]).to.deep.equal(['room', 'more']);
    });

    it('waits a bounded time for a reader that does not read', () => {
      const pipe = join(folder, 'pipe');
      expect(spawnSync('mkfifo', [pipe]).status).to.equal(0);
      const fd = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
      try {
        expect(() => {
          for (;;) writeSync(fd, 'x'.repeat(4096));
        }).to.throw('EAGAIN');
        const begunMs = performance.now();
        const { status, stderr } = spawnSync(process.execPath, logging(''), {
          stdio: ['ignore', fd, 'pipe'],
          encoding: 'utf8',
          timeout: 40_000,
        });
        expect({ status, stderr }).to.have.property('status', 0);
        expect(JSON.parse(stderr).detail).to.include('EAGAIN');
        expect(performance.now() - begunMs).to.be.below(4_000);
      } finally {
        closeSync(fd);
      }
    });
  });

  describe('of several processes on one pipe', () => {
    it('has each line within what is written in one piece, still JSON, with what matters most', () => {
      const long = {
        level: 'error',
        worker: 3,
        err: { message: 'a cause', stack: '\u00e4\ud83d\ude00'.repeat(3_000) },
        msg: 'failed',
      };
      const line = fitPipeBuf(`${JSON.stringify(long)}\n`);
      expect(Buffer.byteLength(line)).to.be.at.most(4096);
      expect(line.endsWith('\n')).to.equal(true);
      expect(JSON.parse(line)).to.deep.include({ level: 'error', worker: 3, msg: 'failed' });
      const many = Object.fromEntries(Array.from({ length: 2_000 }, (_, n) => [`field${n}`, 'x']));
      expect(JSON.parse(fitPipeBuf(`${JSON.stringify(many)}\n`))).to.deep.equal({
        level: 'error',
        msg: 'a line of the log was too long',
      });
      const short = `${JSON.stringify({ msg: 'x'.repeat(4000) })}\n`;
      expect(fitPipeBuf(short)).to.equal(short);
    });

    it('hides a token before a line is cut, so that no piece of it is left', () => {
      let written = '';
      const destination = {
        write: (line: string) => {
          written += line;
        },
      };
      const log = createLogger({ level: 'info', name: 'test', destination, isShared: true });
      for (const before of [960, 980, 1000, 2900])
        log.info({ detail: `${'a '.repeat(before / 2)}${TOKEN} ${'b '.repeat(2000)}` }, 'm');
      expect(written).to.not.match(/eyJ|MEUC/);
      for (const line of written.trimEnd().split('\n')) expect(Buffer.byteLength(line)).to.be.below(4096);
    });

    it('mixes no line with another, however long they are', () => {
      const code = `import { createLogger } from ${JSON.stringify(new URL('../../src/platform/log.js', import.meta.url).href)};
        const log = createLogger({ level: 'info', name: 'n', isShared: true });
        for (let n = 0; n < 200; n++) log.info({ detail: process.argv[1].repeat(5000) }, 'm');`;
      const each = (letter: string) => `"$0" --input-type=module -e "$1" ${letter} &`;
      const { stdout } = spawnSync(
        '/bin/sh',
        ['-c', `(${each('a')} ${each('b')} ${each('c')} wait) | cat`, process.execPath, code],
        {
          encoding: 'utf8',
          maxBuffer: 1 << 24,
        },
      );
      const details = stdout
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { detail: string }).detail);
      expect(details).to.have.length(600);
      expect(details.every((detail) => /^(a+|b+|c+)…$/.test(detail))).to.equal(true);
    });
  });
});
