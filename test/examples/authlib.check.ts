// Checks that authlib, an OAuth library in Python, finds the endpoints of the gateway, introspects and revokes.

import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { CannotRun, needTools, Workplace } from '../clients/workplace.js';
import { readText } from '../docs/markdown.js';
import { Stage } from '../e2e/stage.js';

const ISSUER = 'https://login.example.com/tenants/one';
const ID = 'orders@example.com';
/** It is sent as Latin-1, and nothing in it is encoded. */
const SECRET = 'for tests alone: 100% of it + ä/é&=?';
const SCRIPT = `
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check authlib==1.9.10 httpx==0.28.1
venv/bin/python client.py`;

describe('authlib', function () {
  this.timeout(300_000);
  const stage = new Stage();
  after(() => stage.clear());

  it('finds the endpoints, introspects and revokes, by each way to authenticate', async function () {
    const folder = await stage.folder();
    const secretHash = createHash('sha256').update(SECRET).digest('hex');
    const file = join(folder, 'clients.json');
    const client = { id: ID, secret_sha256: [secretHash], rights: ['introspect'] };
    writeFileSync(file, JSON.stringify({ clients: [client] }));
    const node = await stage.serve(await stage.folder(), { JWT_ISSUER: ISSUER });
    const gateway = await stage.gateway(node, { JWT_ISSUER: ISSUER, OAUTH_CLIENTS: file });
    const tokens = async (): Promise<string> => {
      const { accessToken, refreshToken } = await node.client.issue('alice');
      return JSON.stringify([accessToken, refreshToken]);
    };
    const place = new Workplace({
      ...{ ISSUER, CLIENT_ID: ID, CLIENT_SECRET: SECRET, GATEWAY: `http://${gateway.process.address}` },
      ...{ CLIENT_SECRET_BASIC: await tokens(), CLIENT_SECRET_POST: await tokens(), NONE: await tokens() },
    });
    stage.owns(() => place.remove());
    place.write('client.py', readText('test/examples/oauth_client.py'));
    let output: string;
    try {
      needTools('python3');
      output = await place.run(SCRIPT);
    } catch (error) {
      if (!(error instanceof CannotRun)) throw error;
      process.stdout.write(`    not run: ${error.message}\n`);
      return this.skip();
    }
    const wanted = {
      ...{ token_use: ['access', 'refresh'], sub: 'alice', revoked: 200, after: { active: false } },
      refused: [401, 'invalid_client'],
    };
    expect(JSON.parse(output)).to.deep.equal({
      ...{ issuer: ISSUER, client_secret_basic: wanted, client_secret_post: wanted, none: 200 },
    });
    return undefined;
  });
});
