// Tests of log lines for a person: what they show, and what never reaches a terminal.

import { expect } from 'chai';
import { createLogger } from '../../src/platform/log.js';
import { prettyLine } from '../../src/platform/pretty-line.js';

const PLAIN = { hasColours: false };
const line = (fields: Record<string, unknown>): string =>
  prettyLine(
    `${JSON.stringify({ level: 'info', time: '2026-11-22T13:41:49.224', pid: 1, hostname: 'h', name: 'n', ...fields })}\n`,
    PLAIN,
  );

describe('a line of the log for a person', () => {
  it('has the time, the level and the message first, then what is the line’s own', () => {
    expect(line({ method: 'RefreshToken', durationMs: 1.44, detail: 'two words', msg: 'call' })).to.equal(
      '13:41:49 INFO  call method=RefreshToken durationMs=1.44 detail="two words"\n',
    );
    expect(line({ audit: { event: 'session_ended', subject: 'alice' }, msg: 'session_ended' })).to.equal(
      '13:41:49 INFO  session_ended event=session_ended subject=alice\n',
    );
    expect(line({ addresses: [{ host: '::1', port: 1 }], msg: 'x' })).to.equal(
      '13:41:49 INFO  x addresses=[{"host":"::1","port":1}]\n',
    );
  });

  it('has an error with its stack and its causes below', () => {
    const cause = { type: 'Error', message: 'inner' };
    const err = { type: 'Error', message: 'outer', stack: 'Error: outer\n    at here', cause };
    expect(line({ level: 'error', err, msg: 'failed' })).to.equal(
      '13:41:49 ERROR failed\n  Error: outer\n  at here\n  caused by:\n    Error: inner\n',
    );
  });

  it('has a colour for the level alone, if it may', () => {
    const colourful = prettyLine('{"level":"warn","time":"x","msg":"m"}\n', { hasColours: true });
    expect(colourful).to.equal(' \u001b[33mWARN \u001b[0m m\n');
  });

  it('lets no control character through, in a message, a field, its name, or an error', () => {
    const evil = 'a\u001b[2J\u0007\u009b1m\u202e\u2028\nb';
    const shown = line({ msg: evil, detail: evil, [`x${evil}`]: 1, err: { stack: `${evil}\n${evil}` } });
    expect(
      [...shown].filter((character) => /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(character) && character !== '\n'),
    ).to.deep.equal([]);
    expect(shown.trimEnd().split('\n')).to.have.length(5);
  });

  it('is made after the log has taken secrets out', () => {
    const lines: string[] = [];
    const format = (text: string): string => prettyLine(text, PLAIN);
    const destination = { write: (text: string) => void lines.push(text) };
    const token = `eyJhbGciOiJIUzI1NiJ9.${'x'.repeat(60)}.${'y'.repeat(43)}`;
    createLogger({ name: 'test', level: 'info', destination, format }).info(
      { detail: `bad ${token}`, password: 'p' },
      'm',
    );
    expect(lines.join(''))
      .to.match(/^\d\d:\d\d:\d\d INFO {2}m /)
      .and.not.to.include('y'.repeat(43))
      .and.not.to.include('=p');
  });

  it('comes back as it is if it is no JSON', () => {
    expect(prettyLine('what?\n', PLAIN)).to.equal('what?\n');
  });
});
