// Tests of the warnings of misspelt variables: what is found, and what of other programs is left alone.

import { expect } from 'chai';
import fc from 'fast-check';
import { readGatewaySettings } from '../../../gateway/config.js';
import { closest, editDistance } from '../../../src/platform/env/edit-distance.js';
import { unknownNames } from '../../../src/platform/env/unknown-names.js';
import { Environment } from '../../../src/platform/env.js';
import { readMonitoring } from '../../../src/settings/monitoring.js';
import { readServiceSettings } from '../../../src/settings/service.js';

const settings = new Environment({});
readServiceSettings(settings, 'serve', 0);
readGatewaySettings(settings);
readMonitoring(settings);
const KNOWN = new Set(settings.asked.keys());
const similarTo = (name: string): string | undefined => unknownNames([name], KNOWN)[0]?.similar;

describe('a variable that is no setting', () => {
  it('is found where it is spelt like one: a letter more, less, changed or exchanged, or in lower case', () => {
    for (const [name, similar] of [
      ['ACESS_TTL', 'ACCESS_TTL'],
      ['ACCESS_TLT', 'ACCESS_TTL'],
      ['REFERSH_TTL', 'REFRESH_TTL'],
      ['JWT_SECERT', 'JWT_SECRET'],
      ['JWT_SECRET_FIEL', 'JWT_SECRET_FILE'],
      ['REDIS_URI', 'REDIS_URL'],
      ['redis_url', 'REDIS_URL'],
      ['DATADIR', 'DATA_DIR'],
      ['GRPC_ADRESS', 'GRPC_ADDRESS'],
      ['CORS_ORIGIN', 'CORS_ORIGINS'],
      ['WORKER', 'WORKERS'],
      ['ISSUER_TOKN', 'ISSUER_TOKEN'],
    ] as const) {
      expect(similarTo(name), name).to.equal(similar);
    }
  });

  it('is found below a prefix of ours, like it or not', () => {
    for (const name of ['JWT_ALGORITHM', 'ISSUER_PASSWORD', 'GRPC_TLS_PASSPHRASE', 'REDIS_TLS_ENABLED']) {
      expect(unknownNames([name], KNOWN), name).to.deep.equal([{ name, similar: undefined }]);
    }
  });

  it('is left alone where it belongs to a library, to the system, or to a service of Kubernetes', () => {
    const others = [
      ...['GRPC_TRACE', 'GRPC_VERBOSITY', 'GRPC_DEFAULT_SSL_ROOTS_FILE_PATH', 'GRPC_SSL_CIPHER_SUITES', 'GRPC_PROXY'],
      ...['GRPC_NODE_TRACE', 'GRPC_NODE_VERBOSITY', 'GRPC_DNS_RESOLVER', 'GRPC_EXPERIMENTAL_XDS_FEDERATION'],
      ...['REDIS_HOST', 'REDIS_PORT', 'REDIS_PASSWORD', 'REDIS_USERNAME', 'REDIS_DB', 'REDIS_SENTINEL_HOSTS'],
      ...['REDIS_SERVICE_HOST', 'REDIS_SERVICE_PORT', 'REDIS_SERVICE_PORT_REDIS', 'REDIS_PORT_6379_TCP'],
      ...['REDIS_PORT_6379_TCP_ADDR', 'REDIS_PORT_6379_TCP_PORT', 'REDIS_PORT_6379_TCP_PROTO'],
      ...['AUTH_SERVICE_HOST', 'AUTH_SERVICE_PORT', 'AUTH_SERVICE_SERVICE_HOST', 'AUTH_SERVICE_PORT_50051_TCP_ADDR'],
      ...['JWT_SERVICE_HOST', 'ISSUER_PORT', 'ISSUER_PORT_443_TCP_ADDR', 'LATCHKEY_PORT', 'LATCHKEY_SERVICE_HOST'],
      ...['HOME', 'PATH', 'PWD', 'SHELL', 'USER', 'LOGNAME', 'LANG', 'TERM', 'HOSTNAME', 'SHLVL', 'TMPDIR', 'EDITOR'],
      ...['NODE_ENV', 'NODE_OPTIONS', 'NODE_VERSION', 'npm_config_loglevel', 'npm_lifecycle_event', 'HTTP_PROXY'],
      ...['http_proxy', 'NO_PROXY', 'PORT', 'DATABASE_URL', 'SECRET_KEY', 'LC_ALL', 'XDG_DATA_DIRS', 'KUBERNETES_PORT'],
      ...['DJANGO_SETTINGS_MODULE', 'WEB_CONCURRENCY', 'LOG_FORMAT', 'RATE', 'CI', 'DEBUG', 'TZ', 'DATA', '_'],
    ];
    expect(unknownNames(others, KNOWN)).to.deep.equal([]);
  });

  it('is no setting that is known, whichever command reads it', () => {
    expect(unknownNames(KNOWN, KNOWN)).to.deep.equal([]);
  });

  it('is reported twenty times at most', () => {
    const many = Array.from({ length: 1_000 }, (_, n) => `JWT_X${n}`);
    expect(unknownNames(many, KNOWN)).to.have.length(20);
  });
});

describe('the distance of two words', () => {
  it('counts what is added, taken away, changed and exchanged', () => {
    for (const [a, b, distance] of [
      ['', '', 0],
      ['', 'abc', 3],
      ['abc', 'abc', 0],
      ['abc', 'abcd', 1],
      ['abcd', 'abd', 1],
      ['abcd', 'abxd', 1],
      ['abcd', 'abdc', 1],
      ['isue', 'issue', 1],
      ['kitten', 'sitting', 3],
    ] as const) {
      expect(editDistance(a, b), `${a} ${b}`).to.equal(distance);
      expect(editDistance(b, a), `${b} ${a}`).to.equal(distance);
    }
  });

  it('is the same with a bound, as far as the bound goes', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 });
    fc.assert(
      fc.property(word, word, fc.nat(4), (a, b, most) => {
        const whole = editDistance(a, b);
        expect(editDistance(a, b, most)).to.equal(whole <= most ? whole : Number.POSITIVE_INFINITY);
      }),
      { numRuns: 2_000 },
    );
  });

  it('finds the closest word within a bound', () => {
    expect(closest('sevre', ['dev', 'serve'], 2)).to.equal('serve');
    expect(closest('sevre', ['dev', 'gateway'], 2)).to.equal(undefined);
  });
});
