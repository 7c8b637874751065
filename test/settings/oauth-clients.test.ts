// Tests of the file of OAuth clients: what it may hold, and what is said of what it may not.

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { readGatewaySettings } from '../../gateway/config.js';
import { Environment } from '../../src/platform/env.js';
import { clientEntry, parseClients } from '../../src/settings/oauth-clients.js';
import { sha256 } from '../gateway/oauth-clients.js';

const HASH = 'ab'.repeat(32);
const GOOD = { id: 'orders', secret_sha256: [HASH], rights: ['introspect'] };

describe('the file of OAuth clients', () => {
  const faultsOf = (value: unknown): readonly string[] => {
    const found = parseClients(typeof value === 'string' ? value : JSON.stringify(value));
    return 'faults' in found ? found.faults : [];
  };
  const faultsOfClient = (...changes: readonly object[]) =>
    faultsOf({ clients: changes.map((change) => ({ ...GOOD, ...change })) });

  it('holds clients with their hashes and rights', () => {
    const clients = [{ id: 'orders', secretHashes: [HASH, '01'.repeat(32)], rights: ['introspect'] }];
    const entry = { ...GOOD, secret_sha256: [HASH.toUpperCase(), '01'.repeat(32)] };
    expect(parseClients(JSON.stringify({ clients: [entry] }))).to.deep.equal({ clients });
    expect(parseClients('{"clients":[]}')).to.deep.equal({ clients: [] });
  });

  it('takes the entry that is printed for it', () => {
    const client = { id: 'a.b_c~d@e/f-1', secretHashes: [HASH], rights: ['introspect'] as const };
    expect(parseClients(`{"clients":[${clientEntry(client)}]}`)).to.deep.equal({ clients: [client] });
  });

  it('is refused where it is no list of clients', () => {
    expect(faultsOf('{')).to.deep.equal(['text that is not JSON']);
    for (const wrong of [null, [], {}, { clients: {} }, { clients: [], more: 1 }, 'null', '7']) {
      expect(faultsOf(wrong), JSON.stringify(wrong)).to.match(/^JSON without the list "clients"/);
    }
  });

  it('is refused where an object has two members of the same name: the last would count', () => {
    const twice = 'JSON with two members of the same name in one object';
    const entry = JSON.stringify(GOOD).slice(0, -1);
    for (const text of [
      `{"clients":[${entry},"rights":["global_revocation"]}]}`,
      `{"clients":[${entry},"ri\\u0067hts":["watch"]}]}`,
      `{"clients":[],"clients":[${entry}}]}`,
    ]) {
      expect(faultsOf(text), text).to.deep.equal([twice]);
    }
    const quoted = { ...GOOD, id: '"rights":' };
    expect(faultsOf({ clients: [quoted] })[0]).to.not.equal(twice);
  });

  it('names each client that has a fault, and what is wrong with it', () => {
    const hashes = 'secret_sha256 must be a list of 1 to 4 SHA-256 hashes, each 64 hexadecimal digits';
    const rights = 'rights must be a list of one or more of introspect, global_revocation, watch';
    const id = 'the id must be 1 to 255 letters, digits and . _ ~ @ / -';
    for (const [change, wanted] of [
      [{ id: 'a:b' }, id],
      [{ id: 'a%41' }, id],
      [{ id: 'a+b' }, id],
      [{ id: '' }, id],
      [{ id: 7 }, id],
      [{ id: 'x'.repeat(256) }, id],
      [{ secret_sha256: HASH }, hashes],
      [{ secret_sha256: [] }, hashes],
      [{ secret_sha256: Array(5).fill(HASH) }, hashes],
      [{ secret_sha256: ['ab'] }, hashes],
      [{ secret_sha256: [7] }, hashes],
      [{ secret_sha256: undefined }, hashes],
      [{ secret_sha256: [sha256('')] }, 'secret_sha256 has the hash of an empty secret'],
      [{ secret_sha256: [HASH, sha256('\n').toUpperCase()] }, 'secret_sha256 has the hash of an empty secret'],
      [{ rights: [] }, rights],
      [{ rights: ['introspect', 'rule'] }, rights],
      [{ rights: 'introspect' }, rights],
      [{ secret: 'x' }, 'a member that is none of id, secret_sha256, rights'],
    ] as const) {
      const [fault = '', ...more] = faultsOfClient({ id: 'first' }, change);
      expect(fault, JSON.stringify(change)).to.match(/^client 2(?: \(orders\))?: /);
      expect([fault.slice(fault.indexOf(': ') + 2), ...more]).to.deep.equal([wanted]);
    }
    expect(faultsOf({ clients: [null, [], 'x'] })).to.deep.equal([
      ...['client 1: not an object', 'client 2: not an object', 'client 3: not an object'],
    ]);
    expect(faultsOfClient({}, { id: 'mail' }, {}, { id: 'mail' })).to.deep.equal([
      ...['two clients with the id orders', 'two clients with the id mail'],
    ]);
  });

  describe('in OAUTH_CLIENTS', () => {
    const folder = mkdtempSync(join(tmpdir(), 'latchkey-clients-'));
    const path = join(folder, 'clients.json');
    after(() => rmSync(folder, { recursive: true }));
    const start = (): string => {
      const env = new Environment({ OAUTH_CLIENTS: path });
      expect(readGatewaySettings(env).oauth).to.include({ clientsFile: path });
      try {
        env.check();
        return '';
      } catch (error) {
        return (error as Error).message;
      }
    };

    it('is read at the start, and no fault shows what it holds', () => {
      expect(start()).to.include('OAUTH_CLIENTS: found a path: no such file, wanted a file of OAuth clients');
      const secret = 'a secret in the place of its hash';
      writeFileSync(path, JSON.stringify({ clients: [{ ...GOOD, secret_sha256: [secret] }] }));
      expect(start()).to.include('client 1 (orders): secret_sha256 must be').and.not.include(secret);
      writeFileSync(path, JSON.stringify({ clients: [GOOD] }));
      expect(start()).to.equal('');
    });

    it('may give no right that has no effect', () => {
      writeFileSync(path, JSON.stringify({ clients: [{ ...GOOD, rights: ['global_revocation'] }] }));
      expect(start()).to.include('orders has the right global_revocation, which needs REVOKER_TOKEN');
    });

    it('is refused where it is larger than 64 KiB', () => {
      const clients = Array.from({ length: 600 }, (_, index) => ({ ...GOOD, id: `client-${index}` }));
      writeFileSync(path, JSON.stringify({ clients }));
      expect(start()).to.include('it holds more than 65536 bytes');
    });

    it('is refused where others may write to it', () => {
      writeFileSync(path, JSON.stringify({ clients: [GOOD] }));
      chmodSync(path, 0o606);
      expect(start()).to.include('every user of this machine can write to it');
    });
  });
});
