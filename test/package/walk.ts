// The program of a newcomer who has installed the package: `latchkey dev`, a validation, a refresh, the metrics, a logout.
// It runs on each Node that the package takes, in the folder where the package is installed.

/** @returns its output on a version of Node */
export const walked = (version: string): string => `${version}: active alice, rotated 1, REVOKED\n`;

/** A module. Its argument is the data folder. */
export const WALK = `
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createValidator } from 'latchkey/validator';

const ANY = '127.0.0.1:0';
const env = { ...process.env, GRPC_ADDRESS: ANY, HTTP_ADDRESS: ANY, METRICS_ADDRESS: ANY, DATA_DIR: process.argv[2] };
const dev = spawn('node_modules/.bin/latchkey', ['dev'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
const ended = once(dev, 'exit');
setTimeout(() => {
  console.error('the walk did not end in time');
  dev.kill('SIGKILL');
  process.exit(1);
}, 60_000).unref();
let text = '';
await new Promise((resolve) => {
  dev.stdout.on('data', (chunk) => {
    text += chunk;
    if (text.includes('describe auth.v1.AuthService')) resolve();
  });
  void ended.then(resolve);
});
const [, address] = /gRPC +(\\S+)/.exec(text);
const [, http] = /HTTP +(\\S+)/.exec(text);
const [, metrics] = /(\\S+\\/metrics)/.exec(text);
const [, access] = /access +(eyJ\\S+)/.exec(text);
const [, refresh] = /refresh +(eyJ\\S+)/.exec(text);
const post = (path, body) =>
  fetch(http + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

const validator = createValidator({ address });
const { active, subject } = await validator.validate(access);
const pair = await (await post('/api/auth/token/refresh/', { refresh })).json();
const [, rotated] = /outcome="rotated"\\} (\\d+)/.exec(await (await fetch(metrics)).text());
await post('/api/auth/logout/', { refresh: pair.refresh });
const after = await validator.validate(pair.access, { consistency: 'strict' });
console.log(\`\${process.version}: \${active ? 'active' : 'not active'} \${subject}, rotated \${rotated}, \${after.problem}\`);
await validator.close();
dev.kill('SIGTERM');
const [code] = await ended;
process.exitCode = code;
`;
