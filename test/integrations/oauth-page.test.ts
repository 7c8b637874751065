// Tests that the commands of docs/oauth.md, in their order, make a client that introspects and revokes.

import { writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { expect } from 'chai';
import { Workplace } from '../clients/workplace.js';
import { ROOT, readText } from '../docs/markdown.js';
import { Stage } from '../e2e/stage.js';

const PAGE = readText('docs/oauth.md');
const blocks = (language: string): readonly string[] =>
  [...PAGE.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(([, code = '']) => code);

describe('the page on OAuth', function () {
  this.timeout(60_000);
  const stage = new Stage();
  after(() => stage.clear());

  it('has commands that work, and shows the members that they print', async function () {
    const [makeEntry = '', start = '', useIt = '', revokeAll = ''] = blocks('sh');
    const [file = '', response = ''] = blocks('json');
    const node = await stage.serveHere(await stage.folder(), {
      ...{ JWT_ISSUER: 'https://login.example.com', JWT_AUDIENCE: 'orders', JWT_CLIENT_ID: 'shop' },
      REVOKER_TOKEN: 'a credential to revoke, for tests alone',
    });
    const { accessToken, refreshToken } = await node.client.issue('alice', { role: 'editor' });
    const tools = await stage.folder();
    writeFileSync(join(tools, 'latchkey'), `#!/bin/sh\nexec node '${join(ROOT, 'dist/src/main.js')}' "$@"\n`, {
      mode: 0o755,
    });
    const place = new Workplace({
      ...{ ACCESS: accessToken, REFRESH: refreshToken },
      PATH: [tools, process.env['PATH']].join(delimiter),
    });
    stage.owns(() => place.remove());
    const hasTools = place.run('command -v curl openssl').then(
      () => true,
      () => false,
    );
    if (!(await hasTools)) return this.skip();

    const entry = JSON.parse(await place.run(makeEntry)) as Record<string, unknown>;
    const shown = JSON.parse(file) as { clients: readonly Record<string, unknown>[] };
    expect(shown.clients.map((client) => ({ ...client, secret_sha256: entry['secret_sha256'] }))).to.deep.equal([
      entry,
    ]);
    const okta = { ...entry, id: 'okta', rights: ['global_revocation'] };
    place.write('clients.json', JSON.stringify({ clients: [entry, okta] }));
    expect(start).to.equal('OAUTH_CLIENTS=clients.json latchkey gateway\n');
    const gateway = await stage.gateway(node, {
      OAUTH_CLIENTS: join(place.folder, 'clients.json'),
      REVOKER_TOKEN: 'a credential to revoke, for tests alone',
    });
    const run = (script: string): Promise<string> =>
      place.run(script.replaceAll('curl ', 'curl -sS --fail ').replaceAll('127.0.0.1:8080', gateway.process.address));

    const printed = JSON.parse(await run(useIt)) as object;
    const { scope, ...members } = JSON.parse(response) as Record<string, unknown>;
    expect(scope).to.be.a('string');
    expect(printed).to.have.all.keys(Object.keys(members));
    expect(await node.client.verdict(accessToken)).to.equal('REVOKED');

    const again = await node.client.issue('alice');
    await run(`cp orders.secret okta.secret\n${revokeAll}`);
    expect(await node.client.verdict(again.accessToken)).to.equal('REVOKED');
    return undefined;
  });
});
