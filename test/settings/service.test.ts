// Tests of the settings of a process: which it takes, how they constrain each other, and how faults are reported.

import { availableParallelism } from 'node:os';
import { expect } from 'chai';
import { ConfigError, Environment } from '../../src/platform/env.js';
import type { Mode } from '../../src/settings/mode.js';
import { readServiceSettings, type ServiceSettings } from '../../src/settings/service.js';

const SECRET = 'a secret for tests alone, of more than 32 bytes';
const GOOD = { DATA_DIR: 'data', JWT_SECRET: SECRET };
const NOW_MS = Date.parse('2025-06-01T00:00:00Z');

function read(variables: Record<string, string>, mode: Mode = 'serve'): ServiceSettings {
  const env = new Environment(variables);
  const settings = readServiceSettings(env, mode, NOW_MS);
  env.check();
  return settings;
}

function faults(variables: Record<string, string>, mode: Mode = 'serve'): readonly string[] {
  try {
    read(variables, mode);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
}

describe('the settings of the service', () => {
  it('have the defaults of the design', () => {
    const { grpc, policy, issuerToken, maxConcurrentCalls, maxWatchers } = read(GOOD);
    expect(grpc).to.deep.equal({ host: '127.0.0.1', port: 50051 });
    expect(policy).to.deep.equal({
      accessTtlMs: 300_000,
      refreshTtlMs: 604_800_000,
      sessionMaxMs: 2_592_000_000,
      graceMs: 10_000,
      toleranceMs: 5_000,
      issuer: undefined,
      audience: [],
      subjectClaim: 'sub',
      adoptedSinceMs: undefined,
      clientId: undefined,
      adopts: false,
    });
    expect(issuerToken).to.equal(undefined);
    expect(maxConcurrentCalls).to.equal(256);
    expect(maxWatchers).to.equal(1_000);
  });

  it('have one process, unless they say otherwise', () => {
    expect(read(GOOD)).to.include({ workers: 1 });
    expect(read({ ...GOOD, WORKERS: '4' }).workers).to.equal(4);
    expect(read({ ...GOOD, WORKERS: 'auto' }).workers).to.equal(availableParallelism());
    for (const wrong of ['0', '-1', '257', '1.5', 'all', '1e2', ' 2']) {
      const found = faults({ ...GOOD, WORKERS: wrong, ACCESS_TTL: 'x' });
      expect(found).to.have.length(2);
      expect(found.slice(1)).to.deep.equal([
        `WORKERS: found ${JSON.stringify(wrong)}, wanted auto, or a whole number from 1 to 256`,
      ]);
    }
    // `dev` is one process, whatever it says.
    expect(read({ ...GOOD, WORKERS: 'all' }, 'dev').workers).to.equal(1);
  });

  it('of keys have a minute of delay, no key that is named, and no second secret', () => {
    const { keys } = read(GOOD);
    expect(keys).to.include({ delayMs: 60_000, activeKid: undefined, fallback: undefined });
    expect(read({ ...GOOD, JWT_SECRET_FALLBACK: `${SECRET}!` }).keys.fallback?.reveal()).to.equal(`${SECRET}!`);
  });

  it('refuse a second secret that is short, alone, or the same, and never print it', () => {
    const wrong = [
      { ...GOOD, JWT_SECRET_FALLBACK: 'short hunter2' },
      { DATA_DIR: 'data', JWT_KEYS_DIR: 'keys', JWT_SECRET_FALLBACK: SECRET },
      { ...GOOD, JWT_SECRET_FALLBACK: SECRET },
    ];
    for (const variables of wrong) {
      const found = faults(variables);
      expect(found).to.have.length(1);
      expect(found.join()).to.include('JWT_SECRET_FALLBACK').and.not.include('hunter2').and.not.include(SECRET);
    }
  });

  it('refuse to name a key where there is no folder of keys', () => {
    expect(faults({ ...GOOD, JWT_ACTIVE_KID: 'k' }).join())
      .to.include('JWT_ACTIVE_KID')
      .and.include('JWT_KEYS_DIR');
    expect(faults({ ...GOOD, JWT_ACTIVE_KID: 'k' }, 'dev')).to.have.length(1);
    expect(faults({ DATA_DIR: 'data', JWT_ACTIVE_KID: 'k' }, 'dev'), "dev's own folder").to.deep.equal([]);
    expect(faults({ DATA_DIR: 'data', JWT_ACTIVE_KID: 'k', JWT_KEYS_DIR: 'keys' })).to.deep.equal([]);
    expect(faults({ ...GOOD, JWT_KEY_DELAY: '1 minute' }).join()).to.include('JWT_KEY_DELAY');
  });

  it('leave nothing to accident where the service is meant to serve', () => {
    expect(faults({})).to.have.length(2);
    expect(faults({}).join()).to.include('REDIS_URL or DATA_DIR').and.include('JWT_KEYS_DIR or JWT_SECRET');
    expect(faults({ ...GOOD, REDIS_URL: 'redis://127.0.0.1' }).join()).to.include('one of them');
    expect(faults({}, 'dev')).to.deep.equal([]);
  });

  it('are checked together, and every fault is in one message, secrets never', () => {
    const found = faults({
      DATA_DIR: 'data',
      JWT_SECRET: 'short secret',
      ACCESS_TTL: '5 minutes',
      GRPC_ADDRESS: 'nowhere',
      ADOPT_TOKENS: 'all',
      REDIS_URL: 'http://user:hunter2@127.0.0.1',
    });
    expect(found).to.have.length(6);
    for (const name of ['JWT_SECRET', 'ACCESS_TTL', 'GRPC_ADDRESS', 'ADOPT_TOKENS', 'REDIS_URL']) {
      expect(
        found.some((fault) => fault.startsWith(name)),
        name,
      ).to.equal(true);
    }
    expect(found.join()).to.not.include('short secret').and.not.include('hunter2');
  });

  it('must be in order: REFRESH_GRACE < ACCESS_TTL <= REFRESH_TTL <= SESSION_MAX', () => {
    expect(faults({ ...GOOD, REFRESH_GRACE: '5m' }).join()).to.include('less than ACCESS_TTL');
    expect(faults({ ...GOOD, ACCESS_TTL: '8d' }).join()).to.include('at most REFRESH_TTL');
    expect(faults({ ...GOOD, REFRESH_TTL: '31d' }).join()).to.include('at most SESSION_MAX');
    const equal = { ACCESS_TTL: '1h', REFRESH_TTL: '1h', SESSION_MAX: '1h', REFRESH_GRACE: '0s' };
    expect(faults({ ...GOOD, ...equal })).to.deep.equal([]);
    expect(faults({ ...GOOD, ACCESS_TTL: '1500ms' }).join()).to.include('whole seconds');
  });

  it('for adoption ask for the secret, and name the subject as simplejwt does', () => {
    expect(read({ ...GOOD, ADOPT_TOKENS: 'simplejwt' }).policy).to.include({ subjectClaim: 'user_id', adopts: true });
    expect(read({ ...GOOD, ADOPT_TOKENS: 'simplejwt', SUBJECT_CLAIM: 'uid' }).policy.subjectClaim).to.equal('uid');
    const without = { DATA_DIR: 'data', JWT_KEYS_DIR: 'keys', ADOPT_TOKENS: 'simplejwt' };
    expect(faults(without).join()).to.include('SIGNING_KEY of simplejwt');
    for (const name of ['jti', 'client_id', 'scope']) {
      expect(faults({ ...GOOD, SUBJECT_CLAIM: name }).join(), name).to.include('SUBJECT_CLAIM');
    }
    expect(faults({ ...GOOD, SESSIONS_SINCE: '2026-01-01T00:00:00Z' }).join()).to.include('in the future');
  });

  it('ask for a whole number of replicas, and for a Redis that has them', () => {
    const redis = { JWT_SECRET: SECRET, REDIS_URL: 'redis://127.0.0.1' };
    expect(faults({ ...redis, REDIS_MIN_REPLICAS: '2' })).to.deep.equal([]);
    for (const wrong of ['-1', '1.5', '1e1', '101', 'one']) {
      expect(faults({ ...redis, REDIS_MIN_REPLICAS: wrong }).join()).to.include('a whole number from 0 to 100');
    }
    expect(faults({ ...GOOD, REDIS_MIN_REPLICAS: '1' }).join()).to.include('the embedded store has no replicas');
  });

  it("take the issuer's credential from 32 characters on", () => {
    expect(read({ ...GOOD, ISSUER_TOKEN: 'x'.repeat(31) }).issuerToken).to.equal(undefined);
    expect(read({ ...GOOD, ISSUER_TOKEN: 'x'.repeat(32) }).issuerToken?.reveal()).to.have.length(32);
  });

  it('take no credential of the issuer that a call cannot carry, and for `dev` none that is too short', () => {
    const wrong = ['ü'.repeat(40), ` ${'x'.repeat(40)}`, `${'x'.repeat(40)}\n`, `${'x'.repeat(20)}\t${'x'.repeat(20)}`];
    for (const mode of ['serve', 'dev'] as const) {
      for (const token of wrong) {
        const [fault = '', ...more] = faults({ ...GOOD, ISSUER_TOKEN: token }, mode);
        expect(more).to.deep.equal([]);
        expect(fault)
          .to.match(/^ISSUER_TOKEN: .*printable ASCII/)
          .and.not.include(token);
      }
      expect(faults({ ...GOOD, ISSUER_TOKEN: `${'x'.repeat(20)} ~${'x'.repeat(20)}` }, mode)).to.deep.equal([]);
    }
    expect(faults({ ...GOOD, ISSUER_TOKEN: 'x'.repeat(31) }, 'serve')).to.deep.equal([]);
    expect(faults({ ...GOOD, ISSUER_TOKEN: 'x'.repeat(31) }, 'dev').join()).to.match(/^ISSUER_TOKEN: .*31.*32/);
  });

  it('take no audience that names nothing, and no name of a claim with white space', () => {
    for (const nothing of [',', ' , ', ' ']) {
      expect(faults({ ...GOOD, JWT_AUDIENCE: nothing }).join(), nothing).to.match(/^JWT_AUDIENCE: /);
    }
    expect(read({ ...GOOD, JWT_AUDIENCE: 'a,' }).policy.audience).to.deep.equal(['a']);
    for (const name of [' uid', 'user id', 'uid\n', ' ']) {
      expect(faults({ ...GOOD, SUBJECT_CLAIM: name }).join(), name).to.match(/^SUBJECT_CLAIM: /);
    }
  });

  describe('for Redis', () => {
    const redis = (url: string) => faults({ JWT_SECRET: SECRET, REDIS_URL: url });
    const good = [
      ...['redis://h', 'redis://h/', 'redis://h:1/3', 'rediss://u:p%40@h?family=6', 'redis://[::1]:6379/0'],
      ...['redis+sentinel://a,b:1,c/main', 'rediss+sentinel://u:p%40@a,[::1]:26379/my-main.1/3?family=4'],
      ...['redis+cluster://a:7000,b', 'rediss+cluster://:p@a/', 'redis+cluster://a/0'],
    ];
    for (const url of good) it(`take ${url}`, () => expect(redis(url)).to.deep.equal([]));

    const wrong = [
      ['redis://sesame/abc', 'database number'],
      ['redis://sesame/1/2', 'database number'],
      ['redis://sesame?db=3', 'family'],
      ['redis://sesame?family=five', 'family'],
      ['redis://sesame?family=4&family=6', 'family'],
      ['redis://u:sesame%zz@h', 'percent'],
      ['redis:///0?sesame', 'host'],
      ['redis://sesame:99999', 'port'],
      ['redis://sesame,other', 'redis+sentinel://'],
      ['redis+sentinel://sesame', 'name'],
      ['redis+sentinel://sesame/main/x', 'name'],
      ['redis+sentinel://sesame,/main', 'host'],
      ['redis+sentinel://sesame:1:2/main', 'host'],
      ['redis+sentinel://sesame/main?sentinelPassword=x', 'family'],
      ['redis+sentinel://sesame,a,sesame:26379/main', 'twice'],
      ['redis+cluster://sesame/1', 'database 0'],
      ['redis+cluster://a b sesame', 'redis://'],
      ['redis+sesame://h', 'redis://'],
      ['redis://sesame:0', 'port'],
      ['REDISS://sesame', 'redis://'],
      ['http://sesame', 'redis://'],
      ['sesame', 'redis://'],
    ] as const;
    for (const [url, wanted] of wrong) {
      it(`refuse ${url}, and say why without the URL`, () => {
        const [fault = '', ...more] = redis(url);
        expect(more).to.deep.equal([]);
        expect(fault)
          .to.match(/^REDIS_URL: found .*, wanted /)
          .and.include(wanted)
          .and.not.include('sesame');
      });
    }
  });
});
