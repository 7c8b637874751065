// Checks of examples/: each one is set up and run as its README says, with a real service, also over TLS and under refusals.

import { cpSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type ServiceError, status } from '@grpc/grpc-js';
import { expect } from 'chai';
import { pathTo, protocOfPython } from '../clients/protoc.js';
import { CannotRun, needTools, Workplace } from '../clients/workplace.js';
import { ROOT, readText } from '../docs/markdown.js';
import { serviceConfig } from '../docs/service-config.js';
import { TestClient } from '../support/auth-client.js';
import { ISSUER_TOKEN, JWT_SECRET, type Started, startServe } from '../support/processes.js';
import { failure, retryInfo } from '../support/scripted-auth-service.js';
import { TlsScene } from '../support/tls-scene.js';
import { RefusingFront } from './refusing-front.js';

type Env = Readonly<Record<string, string>>;

/** What each example needs, and where it has the service config. */
const EXAMPLES: Readonly<Record<string, { readonly tools: readonly string[]; readonly config: string }>> = {
  go: { tools: ['go'], config: 'latchkey/service_config.json' },
  node: { tools: ['npm'], config: 'service-config.json' },
  python: { tools: ['python3'], config: 'service_config.json' },
};

/** The commands of an example's README, to set it up and to run it, and what it prints. */
function readme(name: string): { readonly setUp: string; readonly run: string; readonly output: string } {
  const blocks = [...readText(`examples/${name}/README.md`).matchAll(/^```(\w+)\n(.*?)^```$/gms)];
  const [setUp = '', run = ''] = blocks.flatMap(([, language, code = '']) => (language === 'sh' ? [code] : []));
  const [output = ''] = blocks.flatMap(([, language, code = '']) => (language === 'text' ? [code] : []));
  return { setUp, run, output };
}

describe('the examples', function () {
  this.timeout(300_000);
  const places = new Map<string, Workplace>();
  const ready = new Map<string, Promise<void>>();
  const tls = new TlsScene();
  let protoc: Workplace | undefined;
  let service: Started;
  let secured: Started;
  let client: TestClient;

  before(async () => {
    const { cert, key } = tls.server;
    service = await startServe({ env: { DATA_DIR: join(tls.folder, 'plain'), JWT_SECRET } });
    secured = await startServe({
      env: { DATA_DIR: join(tls.folder, 'tls'), JWT_SECRET, GRPC_TLS_CERT: cert, GRPC_TLS_KEY: key },
    });
    client = new TestClient(service.address);
    protoc = await protocOfPython();
    // All at once: they wait for downloads most of the time.
    for (const name of Object.keys(EXAMPLES)) {
      const done = setUp(name);
      done.catch(() => {});
      ready.set(name, done);
    }
  });
  after(async () => {
    await Promise.allSettled(ready.values());
    for (const place of [...places.values(), ...(protoc ? [protoc] : [])]) place.remove();
    client.close();
    for (const each of [service, secured]) await each.stop();
    tls.clear();
  });

  async function setUp(name: string): Promise<void> {
    needTools(...(EXAMPLES[name]?.tools ?? []));
    const place = new Workplace(pathTo(protoc));
    places.set(name, place);
    const folder = join(place.folder, 'examples', name);
    mkdirSync(folder, { recursive: true });
    cpSync(join(ROOT, 'examples', name), folder, { recursive: true });
    symlinkSync(join(ROOT, 'proto'), join(place.folder, 'proto'));
    await place.run(`cd examples/${name}\n${readme(name).setUp}`);
  }

  /**
   * Runs an example with a pair of a new session.
   * @param issuer a client of the service
   * @returns what it prints
   */
  async function walk(test: Mocha.Context, name: string, env: Env, issuer = client): Promise<string> {
    try {
      await ready.get(name);
    } catch (error) {
      if (!(error instanceof CannotRun)) throw error;
      if (test.test) test.test.title += ` (skipped: ${error.message})`;
      return test.skip();
    }
    const { accessToken, refreshToken } = await issuer.issue('alice', {}, ISSUER_TOKEN);
    const variables = Object.entries({ ACCESS: accessToken, REFRESH: refreshToken, ...env });
    const exports = variables.map(([variable, value]) => `export ${variable}='${value}'\n`).join('');
    return (places.get(name) as Workplace).run(`cd examples/${name}\n${exports}${readme(name).run}`);
  }

  it('are all checked here', () => {
    expect(readdirSync(join(ROOT, 'examples')).sort()).to.deep.equal(Object.keys(EXAMPLES));
  });

  for (const [name, { config }] of Object.entries(EXAMPLES)) {
    describe(`in ${name}`, () => {
      it('has the service config of docs/grpc-api.md', () => {
        expect(readText(`examples/${name}/${config}`)).to.equal(serviceConfig());
      });

      it('validates, refreshes, logs out and reads error details by the commands of its README', async function () {
        const { output } = readme(name);
        expect(await walk(this, name, { AUTH_SERVICE_ADDRESS: service.address })).to.equal(output);
      });

      it('calls a service with TLS', async function () {
        const env = { AUTH_SERVICE_ADDRESS: secured.address, AUTH_SERVICE_TLS_CA: tls.ca };
        expect(await walk(this, name, env, tls.client(secured.address))).to.equal(readme(name).output);
      });

      it('tries again what is refused as UNAVAILABLE and as RESOURCE_EXHAUSTED', async function () {
        const front = await RefusingFront.start(service.address, (attempt) => REFUSALS[attempt - 1]);
        try {
          expect(await walk(this, name, { AUTH_SERVICE_ADDRESS: front.address })).to.equal(readme(name).output);
          expect(front.attempts('Logout')).to.equal(REFUSALS.length + 1);
        } finally {
          front.stop();
        }
      });

      it('gives up after four attempts, and says when to try again', async function () {
        const front = await RefusingFront.start(service.address, () => REFUSALS[0]);
        try {
          await walk(this, name, { AUTH_SERVICE_ADDRESS: front.address }).then(expectNothing, ({ message }: Error) => {
            expect(message).to.include('cannot tell; try again in 3 s');
          });
          expect(front.attempts('ValidateToken')).to.equal(4);
        } finally {
          front.stop();
        }
      });
    });
  }
});

const REFUSALS: readonly ServiceError[] = [status.UNAVAILABLE, status.RESOURCE_EXHAUSTED].map((code) =>
  failure(code, [retryInfo(3)]),
);

const expectNothing = (output: string): never => {
  throw new Error(`it succeeded, and printed ${output}`);
};
