// Tests that a validator by the feed that is closed lets its process end, in any state of its stream.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import * as forge from '../attacks/forge.js';
import { Stage } from '../e2e/stage.js';
import { answerWithin } from '../support/waiting.js';

const CHILD = fileURLToPath(new URL('./open-and-close.js', import.meta.url));
/** Shorter than any time for which a stream or a caller would be waited for: the child's deadline is 60 s. */
const SOON_MS = 30_000;

describe('a validator by the feed that is closed', () => {
  const stage = new Stage();
  let service: string;
  let mute: string;
  before(async () => {
    const keys = await stage.folder();
    writeFileSync(join(keys, 'es256.pem'), forge.ecPem, { mode: 0o600 });
    service = (await stage.serveHere(await stage.folder(), { JWT_KEYS_DIR: keys })).process.address;
    const server = createServer((socket) => socket.on('error', () => {}));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    stage.owns(() => server.close());
    const bound = server.address();
    mute = `127.0.0.1:${typeof bound === 'object' ? bound?.port : 0}`;
  });
  after(() => stage.clear());

  for (const [title, addressOf, when] of [
    ['it was opened', () => service, 'at once'],
    ['it connects', () => service, 'while it connects'],
    ['it follows', () => service, 'when it follows'],
    ['it connects to a server that says nothing', () => mute, 'while it connects'],
    ['it connects to a port where nothing listens', () => '127.0.0.1:1', 'while it connects'],
    ['it was opened for a name that there is not', () => 'no-such-host.invalid:50051', 'at once'],
  ] as const) {
    it(`lets the process end by itself when ${title}`, async () => {
      const child = spawn(process.execPath, [CHILD, addressOf(), when], { stdio: ['ignore', 'pipe', 'inherit'] });
      const [printed, exited] = [text(child.stdout), once(child, 'exit')];
      if (!(await answerWithin(SOON_MS, exited))) child.kill('SIGKILL');
      const [code] = await exited;
      expect([code, await printed]).to.deep.equal([0, 'closed\n']);
    });
  }
});
