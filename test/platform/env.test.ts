// Tests of the environment's readers: what they take, what they refuse, and that secrets never print.

import { inspect } from 'node:util';
import { expect } from 'chai';
import {
  ConfigError,
  Environment,
  formatAddress,
  formatDuration,
  parseDuration,
  Secret,
} from '../../src/platform/env.js';

const HOUR = 3_600_000;

/** The faults that reading a value leaves. */
function faultsOf(value: string | undefined, read: (environment: Environment) => unknown): readonly string[] {
  const environment = new Environment({ NAME: value });
  read(environment);
  try {
    environment.check();
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.faults;
  }
}

const read = <T>(value: string | undefined, reader: (environment: Environment) => T): T =>
  reader(new Environment({ NAME: value }));

describe('Secret', () => {
  const secret = new Secret('open sesame');

  it('gives its value away on demand alone', () => {
    expect(secret.reveal()).to.equal('open sesame');
  });

  it('prints as [secret] wherever it is printed', () => {
    const printed = [
      `${secret}`,
      String(secret),
      `a ${secret}`,
      JSON.stringify(secret),
      JSON.stringify({ secret }),
      inspect(secret),
      inspect({ deep: { secret } }, { showHidden: true, depth: 9 }),
      secret.toString(),
      Object.keys(secret).join(),
    ];
    for (const text of printed) expect(text).not.to.contain('sesame');
    expect(printed.slice(0, -1).every((text) => text.includes('[secret]'))).to.equal(true);
  });
});

describe('Environment', () => {
  it('counts an empty variable as unset', () => {
    expect(read('', (environment) => environment.text('NAME'))).to.equal(undefined);
    expect(read('', (environment) => environment.text('NAME', { default: 'a' }))).to.equal('a');
    expect(read('', (environment) => environment.secret('NAME', { minBytes: 32 }))).to.equal(undefined);
    expect(faultsOf('', (environment) => environment.duration('NAME', '5m'))).to.deep.equal([]);
  });

  it('does not take what an object inherits for a variable', () => {
    expect(new Environment({}).text('constructor')).to.equal(undefined);
  });

  it('reads the environment of a process', () => {
    expect(new Environment(process.env).text('PATH')).to.equal(process.env['PATH']);
  });

  it('remembers each variable asked for, with its default as text', () => {
    const environment = new Environment({});
    environment.text('A');
    environment.text('B', { default: 'b' });
    environment.secret('C');
    environment.flag('D', false);
    environment.choice('E', ['x', 'y'], 'y');
    environment.duration('F', '5m');
    environment.instant('G');
    environment.address('H', '[::1]:1');
    environment.list('I');
    expect([...environment.asked]).to.deep.equal([
      ['A', undefined],
      ['B', 'b'],
      ['C', undefined],
      ['C_FILE', undefined],
      ['D', 'false'],
      ['E', 'y'],
      ['F', '5m'],
      ['G', undefined],
      ['H', '[::1]:1'],
      ['I', undefined],
    ]);
    environment.check();
  });

  it('reports every fault in one message, one line each', () => {
    const environment = new Environment({ A: 'yes', B: '5 minutes', C: 'localhost', D: 'short' });
    expect(environment.flag('A', true)).to.equal(true);
    expect(environment.duration('B', '5m')).to.equal(300_000);
    expect(environment.address('C', '127.0.0.1:1')).to.deep.equal({ host: '127.0.0.1', port: 1 });
    environment.secret('D', { minBytes: 32 });
    environment.fault('E', 'nothing', 'something');
    environment.fault('E', 'nothing', 'something');
    expect(() => environment.check()).to.throw(
      ConfigError,
      /^5 wrong settings:\n {2}A: found "yes", wanted true or false\n {2}B: found "5 minutes", wanted a duration[^\n]*\n {2}C: found "localhost", wanted host:port[^\n]*\n {2}D: found a secret of 5 bytes, wanted at least 32 bytes\n {2}E: found nothing, wanted something$/,
    );
  });

  it('keeps one fault on one line, however the value looks', () => {
    const [fault = ''] = faultsOf(`a\nb${'x'.repeat(500)}`, (environment) => environment.flag('NAME', true));
    expect(fault).not.to.contain('\n');
    expect(fault).to.have.length.below(200);
  });

  describe('text, flag, choice and list', () => {
    it('takes a text as it is', () => {
      expect(read(' a ', (environment) => environment.text('NAME'))).to.equal(' a ');
    });

    it('takes exactly true and false', () => {
      expect(read('true', (environment) => environment.flag('NAME', false))).to.equal(true);
      expect(read('false', (environment) => environment.flag('NAME', true))).to.equal(false);
      for (const wrong of ['True', '1', 'yes', ' true']) {
        expect(
          faultsOf(wrong, (environment) => environment.flag('NAME', true)),
          wrong,
        ).to.have.length(1);
      }
    });

    it('takes one of the choices', () => {
      expect(read('b', (environment) => environment.choice('NAME', ['a', 'b'], 'a'))).to.equal('b');
      expect(read(undefined, (environment) => environment.choice('NAME', ['a', 'b']))).to.equal(undefined);
      const faults = faultsOf('c', (environment) => environment.choice('NAME', ['a', 'b']));
      expect(faults).to.deep.equal(['NAME: found "c", wanted a or b']);
    });

    it('splits a list at its commas', () => {
      expect(read(' a, b ,,c', (environment) => environment.list('NAME'))).to.deep.equal(['a', 'b', 'c']);
      expect(read(undefined, (environment) => environment.list('NAME'))).to.deep.equal([]);
    });
  });

  describe('secret', () => {
    it('counts the bytes of a secret, not its characters', () => {
      expect(faultsOf('ü'.repeat(16), (environment) => environment.secret('NAME', { minBytes: 32 }))).to.deep.equal([]);
      expect(faultsOf('ü'.repeat(15), (environment) => environment.secret('NAME', { minBytes: 32 }))).to.deep.equal([
        'NAME: found a secret of 30 bytes, wanted at least 32 bytes',
      ]);
    });

    it("hides a secret's value in a fault of the caller's", () => {
      const faults = faultsOf('sesame', (environment) => {
        environment.secret('NAME');
        environment.fault('NAME', 'the text sesame', 'another');
      });
      expect(faults).to.deep.equal(['NAME: found the text [secret], wanted another']);
    });
  });

  it('takes the secrets that were read out of the variables, and nothing else', () => {
    const variables = { READ: 'sesame', SHORT: 'sesame', UNREAD: 'sesame', TEXT: 'text' };
    const environment = new Environment(variables);
    const secret = environment.secret('READ');
    environment.secret('SHORT', { minBytes: 32 });
    environment.secret('UNSET');
    environment.text('TEXT');
    environment.forgetSecrets(variables);
    expect(variables).to.deep.equal({ UNREAD: 'sesame', TEXT: 'text' });
    expect(secret?.reveal()).to.equal('sesame');
    expect(() => environment.check()).to.throw('a secret of 6 bytes');
  });

  describe('duration', () => {
    const durations: readonly [string, number][] = [
      ['500ms', 500],
      ['10s', 10_000],
      ['5m', 300_000],
      ['12h', 12 * HOUR],
      ['7d', 168 * HOUR],
    ];
    for (const [text, ms] of durations) {
      it(`reads ${text} as ${ms} ms, and writes it so`, () => {
        expect(read(text, (environment) => environment.duration('NAME', '1s'))).to.equal(ms);
        expect(formatDuration(ms)).to.equal(text);
      });
    }

    it('writes what it reads back', () => {
      for (const ms of [0, 1, 999, 1000, 1001, 90_000, 86_400_000])
        expect(parseDuration(formatDuration(ms))).to.equal(ms);
    });

    it('refuses everything else', () => {
      const wrong = ['5', '5 m', '-5m', '+5m', '1.5h', '5M', '1h30m', 'm', '0x5s', '5min', '٥s', '999999999999999d'];
      for (const text of wrong) {
        expect(
          faultsOf(text, (environment) => environment.duration('NAME', '1s')),
          text,
        ).to.have.length(1);
      }
    });

    it('keeps to its bounds, which include their ends', () => {
      const bounded = (environment: Environment) => environment.duration('NAME', '5s', { min: 1000, max: 60_000 });
      for (const text of ['1s', '1000ms', '1m']) expect(faultsOf(text, bounded), text).to.deep.equal([]);
      expect(faultsOf('999ms', bounded)).to.deep.equal([
        'NAME: found "999ms", wanted a duration such as 500ms, 10s, 5m, 12h or 7d, at least 1s, at most 1m',
      ]);
      expect(faultsOf('61s', bounded)).to.have.length(1);
    });

    it('takes zero only where the bounds have it', () => {
      expect(faultsOf('0s', (environment) => environment.duration('NAME', '5s'))).to.have.length(1);
      expect(faultsOf('0s', (environment) => environment.duration('NAME', '5s', { min: 0 }))).to.deep.equal([]);
    });

    it('takes whole seconds alone where they are asked for', () => {
      const whole = (environment: Environment) => environment.duration('NAME', '5s', { wholeSeconds: true });
      expect(faultsOf('2000ms', whole)).to.deep.equal([]);
      expect(faultsOf('1500ms', whole)).to.have.length(1);
    });
  });

  describe('count', () => {
    const bounded = (environment: Environment) => environment.count('NAME', 5, { min: 1, max: 100 });

    it('reads a whole number within its bounds, which include their ends', () => {
      for (const [text, count] of [
        ['1', 1],
        ['42', 42],
        ['100', 100],
        ['', 5],
      ] as const) {
        expect(read(text, bounded), text).to.equal(count);
      }
    });

    it('refuses everything else', () => {
      for (const text of ['0', '101', '-1', '+1', '1.5', '1e1', '0x10', ' 7', 'many', '9'.repeat(30)]) {
        expect(faultsOf(text, bounded), text).to.have.length(1);
      }
      expect(faultsOf('0', bounded)).to.deep.equal(['NAME: found "0", wanted a whole number from 1 to 100']);
    });
  });

  describe('instant', () => {
    it('reads RFC 3339 as Unix ms', () => {
      const instants: readonly [string, string][] = [
        ['2025-01-31T08:00:00Z', '2025-01-31T08:00:00.000Z'],
        ['2025-01-31T08:00:00.25Z', '2025-01-31T08:00:00.250Z'],
        ['2025-01-31T08:00:00+02:30', '2025-01-31T05:30:00.000Z'],
        ['2024-02-29T23:59:59-00:00', '2024-02-29T23:59:59.000Z'],
      ];
      for (const [text, iso] of instants) {
        expect(
          read(text, (environment) => environment.instant('NAME')),
          text,
        ).to.equal(Date.parse(iso));
      }
    });

    it('refuses moments without an offset, and those that do not exist', () => {
      const wrong = ['2025-01-31', '2025-01-31T08:00:00', '2025-02-30T00:00:00Z', '2025-13-01T00:00:00Z', '1738310400'];
      for (const text of [...wrong, '2025-01-31T24:00:00Z', '2025-01-31T08:00:00+25:00', 'yesterday']) {
        expect(
          faultsOf(text, (environment) => environment.instant('NAME')),
          text,
        ).to.have.length(1);
      }
    });
  });

  describe('address', () => {
    it('reads host and port, and writes them so', () => {
      const addresses: readonly [string, string, number][] = [
        ['127.0.0.1:50051', '127.0.0.1', 50051],
        ['localhost:0', 'localhost', 0],
        ['auth-service.prod:65535', 'auth-service.prod', 65535],
        ['[::1]:8080', '::1', 8080],
        ['[fe80::1%eth0]:1', 'fe80::1%eth0', 1],
      ];
      for (const [text, host, port] of addresses) {
        const address = read(text, (environment) => environment.address('NAME'));
        expect(address, text).to.deep.equal({ host, port });
        expect(formatAddress({ host, port })).to.equal(text);
      }
    });

    it('refuses everything else', () => {
      for (const text of [
        'localhost',
        ':8080',
        'h:65536',
        'h:-1',
        '::1:8080',
        '[::1]',
        'http://h:1',
        'h:1/',
        'h h:1',
      ]) {
        expect(
          faultsOf(text, (environment) => environment.address('NAME')),
          text,
        ).to.have.length(1);
      }
    });
  });
});
