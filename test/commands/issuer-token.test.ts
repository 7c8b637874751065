// Tests of the credential that `dev` keeps: made whole or not at all, and refused in words where it is unusable.

import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { keptIssuerToken, makeIssuerToken } from '../../src/commands/issuer-token.js';
import { runCommand } from '../support/processes.js';

const GOOD = 'x'.repeat(43);

describe("the issuer's credential that `dev` keeps", () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'latchkey-issuer-token-'));
    file = join(folder, 'issuer-token');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const keep = (text: string, mode = 0o600): void => {
    writeFileSync(file, text);
    chmodSync(file, mode);
  };

  it('is made once, for its owner alone, with nothing beside it', () => {
    expect(keptIssuerToken(folder)).to.equal(undefined);
    const made = makeIssuerToken(folder).reveal();
    expect(made).to.match(/^[\w-]{43}$/);
    expect(readFileSync(file, 'utf8')).to.equal(`${made}\n`);
    expect(statSync(file).mode & 0o777).to.equal(0o600);
    expect(readdirSync(folder)).to.deep.equal(['issuer-token']);
    expect(keptIssuerToken(folder)?.reveal()).to.equal(made);
  });

  it('is none where the file is empty, as a crash may have left it, and is then made anew', () => {
    for (const text of ['', '\n']) {
      keep(text, 0o644);
      expect(keptIssuerToken(folder)).to.equal(undefined);
      const made = makeIssuerToken(folder).reveal();
      expect(keptIssuerToken(folder)?.reveal()).to.equal(made);
      expect(statSync(file).mode & 0o777).to.equal(0o600);
    }
  });

  it('is refused where it is too short, cannot be sent, or is open to others; the file is named, not what is in it', () => {
    const wrong = [
      ['sesame', 0o600, 'delete'],
      [`sesame\n${GOOD}`, 0o600, 'delete'],
      [`sesame\u00fc${GOOD}`, 0o600, 'delete'],
      [`sesame${GOOD}`, 0o644, 'chmod 600'],
      [`sesame${GOOD}`, 0o640, 'chmod 600'],
    ] as const;
    for (const [text, mode, remedy] of wrong) {
      keep(text, mode);
      const thrown = expect(() => keptIssuerToken(folder), text).to.throw(Error, file);
      thrown.with.property('code', 'ISSUER_TOKEN_UNUSABLE');
      expect(() => keptIssuerToken(folder)).to.throw(Error, remedy);
      expect(() => keptIssuerToken(folder)).to.not.throw(Error, 'sesame');
    }
    rmSync(file);
    mkdirSync(file);
    expect(() => keptIssuerToken(folder))
      .to.throw(Error, file)
      .with.property('code', 'ISSUER_TOKEN_UNUSABLE');
  });

  it('is reported by both commands that use it, without a stack', async () => {
    keep('short');
    for (const args of [['dev'], ['token', 'issue', '--subject', 'x']]) {
      const settings = { DATA_DIR: folder, GRPC_ADDRESS: '127.0.0.1:0', HTTP_ADDRESS: '127.0.0.1:0' };
      const { code, stderr } = await runCommand(args, settings);
      expect(code).to.equal(1);
      expect(stderr).to.include(file).and.include('delete').and.not.include('    at ');
    }
  });
});
