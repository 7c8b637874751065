// Tests of what TLS files are taken, and that the words for all others name the file and nothing in it.

import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { readTls, TlsFileError } from '../../../src/platform/tls/pem.js';
import { writeFile } from '../../support/certificates.js';
import { LOCAL, TlsScene } from '../../support/tls-scene.js';

describe('TLS files', () => {
  let scene: TlsScene;
  before(() => {
    scene = new TlsScene();
  });
  after(() => scene.clear());

  const refusal = (files: { cert?: string; key?: string; ca?: string }): string => {
    try {
      readTls({ cert: undefined, key: undefined, ca: undefined, ...files });
    } catch (error) {
      if (error instanceof TlsFileError) return error.message;
      throw error;
    }
    throw new Error('the files were taken');
  };

  it('are taken with a chain, a key for owner and group, and several authorities', () => {
    const { authority, foreign, folder } = scene;
    const leaf = authority.issue({ names: LOCAL, endsInMs: 3_600_000 });
    const cert = writeFile(folder, 'chain.crt', `some words before\n${leaf.cert}${authority.cert}`);
    const key = writeFile(folder, 'chain.key', leaf.key);
    chmodSync(key, 0o640);
    const ca = writeFile(folder, 'both.crt', authority.cert + foreign.cert);
    const { pem, validities } = readTls({ cert, key, ca });
    expect(Object.keys(pem)).to.deep.equal(['cert', 'key', 'ca']);
    expect(validities.map(({ file }) => file)).to.deep.equal([cert, ca]);
    // The end of the leaf, not of what signed it.
    expect((validities[0]?.notAfterMs ?? 0) - Date.now()).to.be.lessThan(3_600_001);
  });

  it('that are missing, or folders, are named', () => {
    const missing = join(scene.folder, 'missing.pem');
    const folder = join(scene.folder, 'folder.pem');
    mkdirSync(folder);
    for (const path of [missing, folder]) {
      expect(refusal({ ca: path })).to.include(path);
      expect(refusal({ cert: scene.server.cert, key: path })).to.include(path);
    }
  });

  it('whose key everybody may read are refused, with what mends it', () => {
    const { cert, key } = scene.pair('open');
    chmodSync(key, 0o604);
    expect(refusal({ cert, key })).to.equal(`${key}: every user of this machine can access it; run: chmod o= '${key}'`);
  });

  it('whose key is another one are refused, and both are named', () => {
    const { cert } = scene.server;
    const { key } = scene.pair('other');
    expect(refusal({ cert, key })).to.equal(`${key}: this is not the key of the certificate in ${cert}`);
  });

  it('whose key is encrypted, or no key, are refused', () => {
    const { privateKey } = generateKeyPairSync('ec', {
      namedCurve: 'P-256',
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'sesame' },
    });
    const { cert } = scene.server;
    const encrypted = writeFile(scene.folder, 'encrypted.key', privateKey);
    chmodSync(encrypted, 0o600);
    expect(refusal({ cert, key: encrypted })).to.include(`${encrypted}: the key is encrypted`);
    chmodSync(cert, 0o600);
    expect(refusal({ cert, key: cert })).to.equal(`${cert}: holds no PEM private key`);
  });

  it('that are cut off or broken are refused, each with its reason, and without their content', () => {
    const { folder, authority } = scene;
    const whole = authority.cert;
    const broken = {
      empty: ['', 'holds no PEM certificate'],
      cut: [whole.slice(0, -100), 'holds no PEM certificate'],
      'second-cut': [whole + whole.slice(0, 200), 'a certificate in it is incomplete'],
      garbled: [
        whole.replace(/\n[A-Za-z0-9+/]{30}/, '\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'),
        'certificate 1 in it cannot be read',
      ],
    };
    for (const [name, [text = '', reason]] of Object.entries(broken)) {
      const path = writeFile(folder, `${name}.crt`, text);
      expect(refusal({ ca: path })).to.equal(`${path}: ${reason}`);
    }
  });

  it('whose key is too weak for TLS are refused in words', () => {
    const { cert, key } = scene.pair('weak', { rsaBits: 512 });
    expect(refusal({ cert, key })).to.match(/weak\.crt, .*weak\.key: .*too small/);
  });
});
