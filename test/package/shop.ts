// A reader of docs/validator.md: its commands and programs in a folder of their own, against a real service.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { credentials, loadPackageDefinition, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { expect } from 'chai';
import { readText } from '../docs/markdown.js';
import { TestClient } from '../support/auth-client.js';
import { freePort } from '../support/free-ports.js';
import { ISSUER_TOKEN, JWT_SECRET, type Started, startServe } from '../support/processes.js';
import { until } from '../support/waiting.js';
import { TYPED } from './typed-use.js';

const PAGE = readText('docs/validator.md');
const READY_MS = 20_000;
type InShell = (command: string, cwd: string) => string;

/** The files that the page has its reader write, by name. */
const FILES: ReadonlyMap<string, string> = new Map(
  [...PAGE.matchAll(/^`([\w.]+)`:\n\n```\w+\n(.*?)^```$/gms)].map(([, name = '', text = '']) => [name, text]),
);

export class Shop {
  readonly #folder: string;
  readonly #checkout: string;

  constructor(folder: string, checkout: string) {
    this.#folder = folder;
    this.#checkout = checkout;
    mkdirSync(folder);
  }

  /** Runs the page's commands, with what its other programs need besides, and writes its files. */
  async install(inShell: InShell): Promise<void> {
    const [, commands = ''] = /^```sh\n(.*?)^```$/ms.exec(PAGE) ?? [];
    const [pack, ...rest] = commands.trimEnd().split('\n');
    expect(pack).to.equal('(cd "$LATCHKEY" && npm pack)');
    const { devDependencies, dependencies } = JSON.parse(readText('package.json'));
    const others = ['express', '@types/express', '@grpc/proto-loader', 'typescript', '@types/node'].map(
      (name) => `${name}@${devDependencies[name]}`,
    );
    inShell(`export LATCHKEY='${this.#checkout}'\n${rest.join('\n')}`, this.#folder);
    inShell(`npm install ${others.join(' ')} @grpc/grpc-js@${dependencies['@grpc/grpc-js']}`, this.#folder);
    expect([...FILES.keys()]).to.deep.equal([
      'shop.js',
      'login.js',
      'check.js',
      ...['express.js', 'shop.proto', 'grpc.js'],
    ]);
    for (const [name, text] of FILES) writeFileSync(join(this.#folder, name), text);
  }

  typeCheck(moduleResolution: 'node16' | 'bundler', inShell: InShell): void {
    const folder = join(this.#folder, moduleResolution);
    mkdirSync(folder);
    writeFileSync(join(folder, 'typed.ts'), TYPED);
    const module = moduleResolution === 'node16' ? 'node16' : 'esnext';
    const compilerOptions = { strict: true, noEmit: true, target: 'es2022', types: ['node'], module, moduleResolution };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
    copyFileSync(join(this.#folder, 'package.json'), join(folder, 'package.json'));
    inShell('../node_modules/.bin/tsc', folder);
    rmSync(folder, { recursive: true });
  }

  /** Starts each program, uses it as the page says, and logs its user out. */
  async tryAll(): Promise<void> {
    const service = await startServe({ env: { DATA_DIR: join(this.#folder, 'data'), JWT_SECRET } });
    const client = new TestClient(service.address);
    try {
      for (const name of ['shop.js', 'express.js']) await this.#tryHttp(name, service, client);
      await this.#tryGrpc(service, client);
      const { accessToken } = await client.issue('alice');
      expect(await this.#check(service, accessToken)).to.equal('active: alice\n');
      expect(await this.#check(service, await this.#login(service))).to.equal('active: bob\n');
      await client.logout({ accessToken });
      expect(await this.#check(service, accessToken)).to.equal('not active: REVOKED\n');
      await service.kill();
      expect(await this.#check(service, accessToken)).to.match(/^unknown, try again in \d+/);
    } finally {
      client.close();
      await service.kill();
    }
    expect(readdirSync(join(this.#folder, 'node_modules', 'latchkey', 'dist'))).to.have.members([
      ...['gateway', 'proto', 'src'],
    ]);
  }

  async #tryHttp(name: string, service: Started, client: TestClient): Promise<void> {
    const { port, end } = await this.#run(name, service);
    const at = async (path: string, method: string, token?: string): Promise<[number, unknown]> => {
      const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
      const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers });
      return [response.status, await response.json()];
    };
    const answered = () => at('/health', 'GET').catch(() => [0]);
    try {
      await until(async () => (await answered())[0] === 200, READY_MS);
      const { accessToken } = await client.issue('alice');
      expect((await at('/orders', 'GET'))[0]).to.equal(401);
      const [status, body] = await at('/orders', 'GET', accessToken);
      expect([status, (body as { customer: string }).customer]).to.deep.equal([200, 'alice']);
      expect(await at('/pay', 'POST', accessToken)).to.deep.equal([200, { paid: true, by: 'alice' }]);
      await client.logout({ accessToken });
      expect((await at('/pay', 'POST', accessToken))[0]).to.equal(401);
      await until(async () => (await at('/orders', 'GET', accessToken))[0] === 401, READY_MS);
    } finally {
      await end();
    }
  }

  async #tryGrpc(service: Started, client: TestClient): Promise<void> {
    const { port, end } = await this.#run('grpc.js', service);
    const contract = loadPackageDefinition(loadSync(join(this.#folder, 'shop.proto'))) as unknown as Contract;
    const orders = new contract.shop.v1.Orders(`127.0.0.1:${port}`, credentials.createInsecure());
    const call = (method: 'List' | 'Pay' | 'Ping', token?: string): Promise<string> => {
      const metadata = new Metadata();
      if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);
      return new Promise((resolve) => {
        orders[method]({}, metadata, (error, response) => resolve(error ? `${status[error.code]}` : response.subject));
      });
    };
    try {
      await until(async () => (await call('Ping')) !== 'UNAVAILABLE', READY_MS);
      const { accessToken } = await client.issue('alice');
      expect(await call('List')).to.equal('UNAUTHENTICATED');
      expect(await call('List', accessToken)).to.equal('alice');
      expect(await call('Pay', accessToken)).to.equal('alice');
      await client.logout({ accessToken });
      expect(await call('Pay', accessToken)).to.equal('UNAUTHENTICATED');
    } finally {
      orders.close();
      await end();
    }
  }

  /** Runs `check.js` to its end. @returns its output */
  async #check(service: Started, token: string): Promise<string> {
    const { child, output } = this.#start('check.js', service, { ACCESS: token });
    await once(child, 'close');
    return output();
  }

  /** @returns the access token of a session that `login.js` has started */
  async #login(service: Started): Promise<string> {
    const program =
      "const { login } = await import('./login.js'); console.log((await login('bob')).accessToken); process.exit()";
    writeFileSync(join(this.#folder, 'bob.js'), program);
    const { child, output } = this.#start('bob.js', service, { ISSUER_TOKEN });
    await once(child, 'close');
    return output().trim();
  }

  async #run(name: string, service: Started): Promise<{ port: number; end: () => Promise<void> }> {
    const port = await freePort();
    const { child } = this.#start(name, service, { PORT: `${port}` });
    const closed = once(child, 'close');
    const end = async (): Promise<void> => {
      child.kill('SIGKILL');
      await closed;
    };
    return { port, end };
  }

  #start(name: string, { address }: Started, env: Record<string, string>): { child: ChildProcess; output(): string } {
    const child = spawn(process.execPath, [name], {
      cwd: this.#folder,
      env: { PATH: process.env['PATH'], AUTH_SERVICE_ADDRESS: address, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    return { child, output: () => text };
  }
}

type Method = (
  request: object,
  metadata: Metadata,
  done: (error: ServiceError | null, response: { subject: string }) => void,
) => void;
interface Contract {
  readonly shop: {
    readonly v1: {
      readonly Orders: new (
        address: string,
        channel: ReturnType<typeof credentials.createInsecure>,
      ) => { readonly List: Method; readonly Pay: Method; readonly Ping: Method; close(): void };
    };
  };
}
