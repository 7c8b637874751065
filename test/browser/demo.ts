// The demo of `latchkey/browser` on http://localhost: log in, see tokens turn over in several tabs, log out.
// With the argument `--screenshots` it writes the pictures of docs/browsers.md instead.

import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../docs/markdown.js';
import { TestClient } from '../support/auth-client.js';
import { JWT_SECRET, startGateway, startServe } from '../support/processes.js';
import { serveApp } from './app.js';
import { takeScreenshots } from './screenshots.js';

const PAGE = join(ROOT, 'test/browser/pages/demo.html');
const LOST_MS = 2_000;
const port = Number(process.env['PORT'] ?? 8090);

const folder = mkdtempSync(join(tmpdir(), 'latchkey-demo-'));
const lifetimes = { ACCESS_TTL: '20s', REFRESH_GRACE: '10s' };
const service = await startServe({ env: { DATA_DIR: join(folder, 'data'), JWT_SECRET, ...lifetimes } });
const gateway = await startGateway(service.address, { env: { REFRESH_COOKIE: 'localhost' } });
const client = new TestClient(service.address);
let losesUntilMs = 0;

const server = createServer((request, response) => {
  if (request.url === '/') {
    response.writeHead(200, { 'content-type': 'text/html' }).end(readFileSync(PAGE));
  } else if (request.url === '/demo/lose') {
    losesUntilMs = Date.now() + LOST_MS;
    response.writeHead(204).end();
  } else {
    serveApp(request, response, {
      gatewayOf: () => gateway.address,
      login: async (subject) => (await client.issue(subject)).refreshToken,
      onAnswer: async () => Date.now() >= losesUntilMs,
    }).catch(() => response.destroy());
  }
});
server.listen(port, 'localhost');
await once(server, 'listening');

async function stop(): Promise<void> {
  server.close();
  server.closeAllConnections();
  client.close();
  await gateway.stop();
  await service.stop();
  rmSync(folder, { recursive: true, force: true });
}

const url = `http://localhost:${(server.address() as AddressInfo).port}/`;
if (process.argv.includes('--screenshots')) {
  await takeScreenshots(url, join(ROOT, 'docs'));
  await stop();
} else {
  process.stdout.write(`Open ${url} in several tabs. Stop by Ctrl+C.\n`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
}
