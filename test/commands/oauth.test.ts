// Tests of `latchkey oauth client`: the entry that it prints is one that a gateway takes, and the secret is in no output.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { Stage } from '../e2e/stage.js';
import { basic, INTROSPECT } from '../gateway/oauth-clients.js';
import { commandHere } from '../support/command-here.js';
import { runCommand } from '../support/processes.js';

const SECRET = 'a secret of 32 characters: 100% ä';

describe('latchkey oauth client', () => {
  const stage = new Stage();
  after(() => stage.clear());

  it('prints an entry for the secret on standard input, which a gateway takes', async () => {
    const folder = await stage.folder();
    const { code, stdout, stderr } = await runCommand(['oauth', 'client', 'orders'], {}, `${SECRET}\n`);
    expect([code, stderr]).to.deep.equal([0, '']);
    expect(stdout).to.match(/^\{"id":"orders","secret_sha256":\["[0-9a-f]{64}"\],"rights":\["introspect"\]\}\n$/);
    const file = join(folder, 'clients.json');
    writeFileSync(file, `{"clients":[${stdout}]}`);
    const node = await stage.serveHere(folder);
    const gateway = await stage.gatewayHere(node, { OAUTH_CLIENTS: file });
    const { accessToken } = await node.client.issue();
    const { status, text } = await gateway.ask(INTROSPECT, {
      ...{ method: 'POST', body: new URLSearchParams({ token: accessToken }) },
      headers: basic('orders', SECRET),
    });
    expect([status, JSON.parse(text).active]).to.deep.equal([200, true]);
    expect(gateway.process.output()).to.include('OAuth clients in use').and.not.include(SECRET);
  });

  it('refuses what no entry can be made of, and does not show the secret', async () => {
    const wrong: readonly (readonly [args: readonly string[], input: string, wanted: string])[] = [
      [['oauth', 'client'], SECRET, 'needs the ID of the client'],
      [['oauth', 'client', 'a:b'], SECRET, 'the id of a client must be'],
      [['oauth', 'client', 'orders'], '', 'no secret on standard input'],
      [['oauth', 'client', 'orders'], 'short secret', 'a secret of 12 characters on standard input'],
      [['oauth', 'client', 'orders', '--rights', 'introspect,rule'], SECRET, '--rights: found introspect,rule'],
      [['oauth', 'client', 'orders', '--rights', ''], SECRET, '--rights: found , wanted'],
      [['oauth', 'client', 'orders', SECRET], SECRET, 'takes no further argument'],
    ];
    for (const [args, input, wanted] of wrong) {
      const { code, stdout, stderr } = await commandHere(args, {}, input);
      expect([code, stdout], wanted).to.deep.equal([2, '']);
      expect(stderr).to.include(wanted);
      expect(stderr).to.not.include(input || SECRET);
    }
  });
});
