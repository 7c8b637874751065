// Tests that imports run one way, and of what else docs/architecture.md says of every file.

import { expect } from 'chai';
import { codeIn, filesBelow, type Imports, importsOf, sourceFiles } from './imports.js';
import { readText } from './markdown.js';

/** What the files at a path may import: files by how their paths begin, packages by name. */
interface Rule {
  readonly at: string;
  readonly files: readonly string[];
  readonly packages: readonly string[];
  readonly node: boolean;
}

const PLATFORM = ['src/platform/'];
/** The library of metrics is loaded where metrics are on, by the commands alone: all others know the port. */
const METRICS = 'src/platform/metrics/';
/** The port of logging, and the creation of folders: all that an adapter needs of the platform. */
const FOR_ADAPTERS = ['src/platform/logger.ts', 'src/platform/make-folder.ts'];
/** How bearer tokens come by HTTP, and the responses to those that are refused. */
const BEARER = 'src/bearer/';
/** The library for validation in the caller's process, by its entry. */
const VALIDATOR = 'src/validator/index.ts';
/** What the check of the gateway shares with the middlewares. */
const CHECKS = [VALIDATOR, 'src/middleware/guard.ts', 'src/middleware/http-refusal.ts'];
const GENERATED = 'proto/gen/';
/** Data structures. They know nothing of what they hold. */
const COLLECTIONS = 'src/collections/';
/** The rooms of the core that hold pure rules. */
const BASE = ['session/', 'token/', 'errors.ts'];
/**
 * Packages of packages, declared to hold their version where the package is installed: `overrides` count only in a
 * checkout. The next version of light-my-request needs Node 22.
 */
const PINNED = ['light-my-request'];

const FILES = sourceFiles('src', 'gateway', 'proto/gen');

const RULES: readonly Rule[] = [
  { at: COLLECTIONS, files: [COLLECTIONS], packages: [], node: false },
  // A verifier in another process imports these two alone.
  { at: 'src/core/token/', files: ['src/core/token/'], packages: [], node: false },
  {
    at: 'src/adapters/jwt/verify/',
    files: ['src/adapters/jwt/verify/', 'src/core/token/'],
    packages: ['jsonwebtoken'],
    node: true,
  },
  // The rooms of the core, from the ground up: each may use those before it.
  ...Object.entries({
    'errors.ts': ['token/'],
    'session/': ['session/', 'token/', 'errors.ts'],
    'key-schedule.ts': ['session/rules.ts'],
    'policy.ts': ['session/rules.ts', 'token/rules.ts'],
    'events/': ['events/', 'session/', 'token/'],
    // What logs hold, without the rounds that read them.
    'feed/log-entry.ts': ['errors.ts'],
    'feed/limits.ts': [],
    'ports.ts': ['events/', 'session/', 'token/', 'feed/log-entry.ts', 'errors.ts'],
    'durability/': ['durability/', 'ports.ts', 'events/', 'session/', 'errors.ts'],
    ...Object.fromEntries(
      ['feed-reader', 'shard-reading', 'unrestored-entry', 'shard-states', 'window'].map((name) => [
        `feed/${name}.ts`,
        ['feed/', 'durability/', 'ports.ts', 'session/', 'token/', 'errors.ts'],
      ]),
    ),
    'context.ts': ['durability/', 'ports.ts', 'policy.ts', 'session/'],
    'use-cases/': ['use-cases/', 'context.ts', 'durability/', 'ports.ts', 'policy.ts', 'key-schedule.ts', ...BASE],
  }).map(([room, files]) => ({
    ...{ at: `src/core/${room}`, packages: [], node: false },
    files: [COLLECTIONS, ...files.map((file) => `src/core/${file}`)],
  })),
  ...['jwt-keys', 'key-', 'signing'].map((name) => ({
    at: `src/adapters/jwt/${name}`,
    files: ['src/adapters/jwt/', 'src/core/', ...FOR_ADAPTERS],
    packages: [],
    node: true,
  })),
  {
    at: 'src/adapters/redis/',
    files: ['src/adapters/redis/', 'src/core/', 'src/platform/logger.ts', 'src/platform/tls/failure.ts'],
    packages: ['ioredis'],
    node: true,
  },
  { at: 'src/adapters/observed/', files: ['src/adapters/observed/', 'src/core/'], packages: [], node: false },
  { at: 'src/adapters/lru/', files: ['src/core/'], packages: ['lru-cache'], node: false },
  {
    at: 'src/adapters/lmdb/',
    files: ['src/adapters/lmdb/', 'src/core/', ...FOR_ADAPTERS],
    packages: ['lmdb'],
    node: true,
  },
  { at: BEARER, files: [], packages: [], node: false },
  // Of gRPC's library status codes and metadata; of protobuf its reader and writer of the wire.
  {
    at: 'src/grpc/transport/',
    files: ['src/grpc/transport/', ...PLATFORM],
    packages: ['@grpc/grpc-js'],
    node: true,
  },
  {
    at: 'src/grpc/admission/',
    files: ['src/grpc/admission/', 'src/grpc/transport/method.ts', 'src/grpc/status.ts', ...PLATFORM],
    packages: [],
    node: false,
  },
  {
    at: 'src/grpc/codec/',
    files: ['src/grpc/codec/', 'src/grpc/status.ts', BEARER, 'src/core/', GENERATED],
    packages: ['@bufbuild/protobuf'],
    node: true,
  },
  {
    at: 'src/grpc/feed/',
    files: ['src/grpc/feed/', 'src/grpc/codec/', 'src/core/', ...PLATFORM],
    packages: [],
    node: false,
  },
  {
    at: 'src/grpc/services/',
    files: ['src/grpc/', BEARER, 'src/core/', GENERATED, ...PLATFORM],
    packages: ['@grpc/grpc-js', '@bufbuild/protobuf'],
    node: true,
  },
  ...[
    'server',
    'unary-handlers',
    'call-context',
    'call-log',
    'call-metrics',
    'call-traces',
    'status',
    'status-details',
  ].map((name) => ({
    at: `src/grpc/${name}.ts`,
    files: ['src/grpc/', 'src/core/', GENERATED, ...PLATFORM],
    packages: ['@grpc/grpc-js'],
    node: true,
  })),
  { at: 'src/platform/env.ts', files: ['src/platform/env/'], packages: [], node: true },
  { at: 'src/platform/env/', files: ['src/platform/env/'], packages: [], node: true },
  { at: 'src/platform/retry-delay.ts', files: [], packages: [], node: false },
  { at: 'src/platform/make-folder.ts', files: [], packages: [], node: true },
  { at: 'src/platform/logger.ts', files: [], packages: [], node: false },
  { at: 'src/platform/version.ts', files: [], packages: [], node: true },
  { at: 'src/platform/redaction.ts', files: [], packages: [], node: false },
  {
    at: 'src/platform/log.ts',
    files: ['src/platform/log-destination.ts', 'src/platform/logger.ts', 'src/platform/redaction.ts'],
    packages: ['pino'],
    node: false,
  },
  {
    at: 'src/platform/log-destination.ts',
    files: ['src/platform/output/standard-error.ts'],
    packages: ['pino'],
    node: true,
  },
  {
    at: 'src/platform/output/',
    files: ['src/platform/output/', 'src/platform/log.ts', 'src/platform/log-destination.ts'],
    packages: ['@grpc/grpc-js'],
    node: true,
  },
  { at: 'src/platform/client-channel.ts', files: [], packages: ['@grpc/grpc-js'], node: false },
  { at: 'src/platform/caller-network.ts', files: [], packages: ['ipaddr.js'], node: true },
  ...['meter', 'recorders'].map((name) => ({
    ...{ at: `${METRICS}${name}.ts`, files: [`${METRICS}meter.ts`], packages: [], node: false },
  })),
  { at: `${METRICS}node-metrics.ts`, files: [`${METRICS}recorders.ts`], packages: [], node: true },
  {
    at: `${METRICS}process-metrics.ts`,
    files: ['meter', 'recorders', 'node-metrics'].map((name) => `${METRICS}${name}.ts`),
    packages: [],
    node: false,
  },
  { at: `${METRICS}exposition.ts`, files: [`${METRICS}recorders.ts`], packages: ['prom-client'], node: false },
  { at: 'src/platform/json-names.ts', files: [], packages: [], node: false },
  { at: 'src/platform/pretty-line.ts', files: [], packages: [], node: false },
  { at: 'src/platform/trace-context.ts', files: [], packages: [], node: true },
  {
    at: 'src/platform/find-tracing.ts',
    files: ['src/platform/tracing.ts'],
    packages: [],
    node: false,
  },
  {
    at: 'src/platform/tracing.ts',
    files: ['src/platform/trace-context.ts'],
    packages: ['@opentelemetry/api'],
    node: false,
  },
  {
    at: 'src/platform/private-server.ts',
    files: ['address-unusable', 'closing-order', 'env', 'logger'].map((name) => `src/platform/${name}.ts`),
    packages: [],
    node: true,
  },
  { at: 'src/platform/closing-order.ts', files: [COLLECTIONS], packages: [], node: false },
  { at: 'src/platform/address-unusable.ts', files: ['src/platform/env.ts'], packages: [], node: false },
  // Its channels are gRPC's; all else is Node's.
  {
    at: 'src/platform/tls/',
    files: ['src/platform/tls/', 'src/platform/log.ts'],
    packages: ['@grpc/grpc-js'],
    node: true,
  },
  { at: 'src/settings/issuer.ts', files: PLATFORM, packages: [], node: false },
  { at: 'src/settings/keys.ts', files: PLATFORM, packages: [], node: false },
  { at: 'src/settings/grpc.ts', files: PLATFORM, packages: [], node: false },
  { at: 'src/settings/monitoring.ts', files: PLATFORM, packages: [], node: false },
  { at: 'src/settings/proxies.ts', files: [BEARER, ...PLATFORM], packages: [], node: false },
  { at: 'src/settings/oauth-clients.ts', files: PLATFORM, packages: [], node: false },
  { at: 'src/settings/tls.ts', files: PLATFORM, packages: [], node: true },
  { at: 'src/settings/mode.ts', files: [], packages: [], node: true },
  {
    at: 'src/settings/store.ts',
    files: ['src/settings/', 'src/adapters/redis/url.ts', ...PLATFORM],
    packages: [],
    node: false,
  },
  { at: 'src/settings/policy.ts', files: ['src/core/', ...PLATFORM], packages: [], node: false },
  {
    at: 'src/settings/service.ts',
    files: ['src/settings/', 'src/core/policy.ts', ...PLATFORM],
    packages: [],
    node: true,
  },
  ...Object.entries({
    metrics: ['src/adapters/observed/', 'src/core/', 'src/grpc/feed/feed.ts', `${METRICS}meter.ts`],
    'store-traces': ['src/adapters/observed/', 'src/core/', 'src/platform/tracing.ts'],
    feed: ['src/core/', 'src/grpc/feed/feed.ts', 'src/service/metrics.ts', ...PLATFORM],
    issuers: ['src/grpc/server.ts', 'src/settings/service.ts', ...PLATFORM],
    keys: ['src/adapters/jwt/', 'src/core/ports.ts', 'src/settings/keys.ts', ...PLATFORM],
    'store.': ['src/adapters/', 'src/core/', 'src/settings/store.ts', ...PLATFORM],
    'start-service': ['src/adapters/', 'src/core/', 'src/grpc/', 'src/service/', 'src/settings/', ...PLATFORM],
  }).map(([name, files]) => ({
    ...{ at: `src/service/${name}`, files, packages: [], node: ['keys', 'start-service'].includes(name) },
  })),
  // It is loaded into other programs: no store, no server, no log. Of the platform what reads addresses and TLS files.
  {
    at: 'src/validator/',
    files: [
      ...[
        'src/validator/',
        'src/core/token/',
        'src/adapters/jwt/verify/',
        'src/platform/env/values.ts',
        'src/platform/client-channel.ts',
        'src/platform/retry-delay.ts',
      ],
      // What denies a session by its start, and the margins of the feed.
      ...['src/core/session/session-state.ts', 'src/core/feed/limits.ts'],
      ...['channel', 'failure', 'pem'].map((name) => `src/platform/tls/${name}.ts`),
      ...[COLLECTIONS, GENERATED],
    ],
    packages: ['@grpc/grpc-js'],
    node: true,
  },
  // They are loaded into other programs, too, and each by itself. Of fastify and express they load nothing.
  {
    at: 'src/middleware/',
    files: [
      'src/middleware/',
      ...['api', 'errors', 'options'].map((name) => `src/validator/${name}.ts`),
      ...[BEARER, 'src/core/token/claims.ts', 'src/grpc/status-details.ts', GENERATED],
    ],
    packages: ['@grpc/grpc-js', 'fastify'],
    node: true,
  },
  // It is loaded into pages: nothing but itself.
  { at: 'src/browser/', files: ['src/browser/'], packages: [], node: false },
  { at: 'src/store-check/check-result.ts', files: [], packages: [], node: false },
  {
    at: 'src/store-check/redis/',
    files: ['src/store-check/', 'src/adapters/redis/', 'src/core/session/entries.ts'],
    packages: ['ioredis'],
    node: false,
  },
  {
    at: 'src/store-check/lmdb-survey.ts',
    files: ['src/store-check/check-result.ts', 'src/adapters/lmdb/', 'src/core/session/entries.ts'],
    packages: [],
    node: true,
  },
  { at: 'src/workers/', files: ['src/workers/', ...PLATFORM], packages: [], node: true },
  {
    at: 'src/commands/',
    files: [
      ...['src/commands/', 'src/service/start-service.ts', 'src/workers/', 'src/settings/', ...PLATFORM, GENERATED],
      // The two entries of the gateway; of the rest what `dev` makes and `token inspect` shows.
      ...['gateway/server.ts', 'gateway/config.ts', 'src/adapters/jwt/key-files.ts', 'src/core/token/session-id.ts'],
      // What `token issue` refuses among claims.
      'src/core/token/claim-values.ts',
      // What `keys` goes by.
      'src/core/key-schedule.ts',
      // The questions of `store check`, and the form of their results.
      ...['src/store-check/redis/survey.ts', 'src/store-check/lmdb-survey.ts', 'src/store-check/check-result.ts'],
      // What makes the data folder, without the driver.
      'src/adapters/lmdb/data-dir.ts',
    ],
    packages: ['@grpc/grpc-js', 'pino'],
    node: true,
  },
  {
    at: 'src/main.ts',
    files: ['src/commands/', 'src/platform/output/', 'src/platform/version.ts'],
    packages: [],
    node: true,
  },
  // HTTP's mechanics know no route, and limits know no HTTP.
  {
    at: 'gateway/http/',
    files: ['gateway/http/', 'gateway/limits/', 'gateway/service-connection.ts', BEARER, GENERATED, ...PLATFORM],
    packages: ['@grpc/grpc-js', 'fastify', '@fastify/cors', '@fastify/busboy'],
    node: true,
  },
  // Who an OAuth client is; what it may have is in the routes.
  {
    at: 'gateway/oauth/',
    files: [
      ...['gateway/oauth/', 'gateway/http/responses.ts'],
      ...['src/settings/oauth-clients.ts', 'src/settings/tls.ts', ...PLATFORM],
    ],
    packages: [],
    node: true,
  },
  { at: 'gateway/limits/', files: ['gateway/limits/', COLLECTIONS, ...PLATFORM], packages: [], node: true },
  // Descriptions alone: they know routes by their shape.
  { at: 'gateway/openapi/', files: ['gateway/openapi/'], packages: [], node: false },
  {
    at: 'gateway/routes/',
    files: [
      ...['gateway/routes/', 'gateway/http/', 'gateway/oauth/', 'gateway/openapi/', 'gateway/revocations/'],
      ...['auth-client', 'revoker-client', 'service-connection'].map((name) => `gateway/${name}.ts`),
      ...[BEARER, ...CHECKS, GENERATED, ...PLATFORM],
    ],
    packages: ['fastify'],
    node: true,
  },
  {
    at: 'gateway/revocations/',
    files: ['gateway/revocations/', GENERATED],
    packages: ['@grpc/grpc-js'],
    node: true,
  },
  {
    at: 'gateway/service-connection.ts',
    files: ['gateway/status-details.ts', ...PLATFORM],
    packages: ['@grpc/grpc-js'],
    node: false,
  },
  {
    at: 'gateway/auth-client.ts',
    files: ['gateway/service-connection.ts', GENERATED],
    packages: ['@grpc/grpc-js'],
    node: false,
  },
  {
    at: 'gateway/revoker-client.ts',
    files: ['gateway/service-connection.ts', GENERATED, ...PLATFORM],
    packages: [],
    node: false,
  },
  {
    at: 'gateway/status-details.ts',
    files: [GENERATED, 'src/platform/retry-delay.ts'],
    packages: ['@grpc/grpc-js'],
    node: false,
  },
  {
    at: 'gateway/config.ts',
    files: [
      ...['tls', 'proxies', 'issuer', 'oauth-clients'].map((name) => `src/settings/${name}.ts`),
      ...['cors', 'csrf', 'refresh-cookie'].map((name) => `gateway/http/${name}.ts`),
      ...['gateway/limits/', 'gateway/oauth/public-urls.ts'],
      ...['gateway/routes/paths.ts', 'gateway/routes/check.ts', ...PLATFORM],
    ],
    packages: [],
    node: false,
  },
  { at: 'gateway/open-oauth.ts', files: ['gateway/', ...PLATFORM], packages: [], node: false },
  { at: 'gateway/app.ts', files: ['gateway/', ...PLATFORM], packages: ['fastify', '@fastify/cors'], node: true },
  { at: 'gateway/server.ts', files: ['gateway/', VALIDATOR, ...PLATFORM], packages: [], node: true },
  { at: GENERATED, files: [GENERATED], packages: ['@grpc/grpc-js', '@bufbuild/protobuf'], node: false },
];

const IMPORTS = new Map<string, Imports>();

describe('the layers', () => {
  before(() => {
    for (const path of FILES) IMPORTS.set(path, importsOf(path));
  });

  it('have exactly one rule for each file, and a file for each rule', () => {
    const rulesOf = (path: string) => RULES.filter(({ at }) => path.startsWith(at));
    expect(FILES.filter((path) => rulesOf(path).length !== 1)).to.deep.equal([]);
    expect(RULES.filter(({ at }) => !FILES.some((path) => path.startsWith(at)))).to.deep.equal([]);
  });

  for (const rule of RULES) {
    it(`${rule.at} imports only what it may`, () => {
      const wrong = FILES.filter((path) => path.startsWith(rule.at)).flatMap((path) => {
        const { files, packages, node } = IMPORTS.get(path) ?? { files: [], packages: [], node: false };
        return [
          ...files.filter((file) => !rule.files.some((start) => file.startsWith(start))),
          ...packages.filter((name) => !rule.packages.includes(name)),
          ...(node && !rule.node ? ['node'] : []),
        ].map((found) => `${path} imports ${found}`);
      });
      expect(wrong).to.deep.equal([]);
    });
  }

  it('have no cycles, not even of types', () => {
    const cycles: string[] = [];
    const done = new Set<string>();
    const visit = (path: string, trail: readonly string[]): void => {
      if (trail.includes(path)) cycles.push([...trail.slice(trail.indexOf(path)), path].join(' -> '));
      if (trail.includes(path) || done.has(path)) return;
      for (const next of IMPORTS.get(path)?.files ?? []) visit(next, [...trail, path]);
      done.add(path);
    };
    for (const path of FILES) visit(path, []);
    expect(cycles).to.deep.equal([]);
  });

  it('import only files that are there', () => {
    const missing = FILES.flatMap((path) => IMPORTS.get(path)?.files ?? []).filter((path) => !IMPORTS.has(path));
    expect(missing).to.deep.equal([]);
  });

  it('load the library of metrics only by the commands, at run time, and by nothing else', () => {
    const users = FILES.filter((path) => /metrics\/(?:process-metrics|exposition)\.js'/.test(readText(path)));
    const loads = /(?:await import\(|^import type .* from )'[^']*metrics\/(?:process-metrics|exposition)\.js'/gm;
    for (const path of users) {
      const all = readText(path).match(/metrics\/(?:process-metrics|exposition)\.js'/g) ?? [];
      expect(path.startsWith('src/commands/'), path).to.equal(true);
      expect(readText(path).match(loads), path).to.have.length(all.length);
    }
  });

  it("import OpenTelemetry's API only at run time, and only if an SDK is found", () => {
    const TRACING = /'[^']*\/tracing\.js'/g;
    const types = /import type \{[^}]*\} from '[^']*\/tracing\.js'/g;
    for (const path of FILES.filter((each) => each !== 'src/platform/find-tracing.ts'))
      expect(readText(path).match(TRACING) ?? [], path).to.have.length((readText(path).match(types) ?? []).length);
    expect(readText('src/platform/find-tracing.ts').match(TRACING)).to.have.length(2);
    expect(readText('src/platform/find-tracing.ts')).to.include("await import('./tracing.js')");
  });

  it('use the packages that are declared, and declare none that is not used', () => {
    const { dependencies } = JSON.parse(readText('package.json')) as { dependencies: Record<string, string> };
    const used = new Set([...IMPORTS.values()].flatMap(({ packages }) => packages));
    expect([...used, ...PINNED].sort()).to.deep.equal(Object.keys(dependencies).sort());
  });
});

describe('every file', () => {
  const generated = (path: string): boolean => path.startsWith(GENERATED);
  const code = sourceFiles('src', 'gateway', 'proto', 'test', 'bench').filter((path) => !generated(path));

  it('says in its first line what it is', () => {
    const files = [
      ...code,
      ...filesBelow(['proto'], '.proto'),
      ...['docker-compose.yml', 'Dockerfile', '.dockerignore', 'buf.yaml', 'buf.gen.yaml', '.ci/run'],
      ...filesBelow(['test', 'bench'], '.sh'),
    ];
    const silent = files.filter((path) => !/^(?:#!.*\n)?(?:\/\/|#) [A-Z`].{20,}/.test(readText(path)));
    expect(silent).to.deep.equal([]);
  });

  it('that is generated says so, and that it is not to be edited', () => {
    const bare = FILES.filter(generated).filter((path) => !/^\/\/.*DO NOT EDIT/.test(readText(path)));
    expect(bare).to.deep.equal([]);
  });

  it('but the command line leaves the environment alone', () => {
    const reads = /\bprocess\s*\.\s*env\b|\bprocess\s*\[|from 'node:process'/;
    const readers = code.filter((path) => /^(src|gateway)\//.test(path) && reads.test(codeIn(path)));
    expect(readers).to.deep.equal(['src/main.ts']);
  });

  it('has named exports alone', () => {
    expect(
      code.filter((path) => /^export default\b|^export \{[^}]*\bas default\b/m.test(readText(path))),
    ).to.deep.equal([]);
  });
});
