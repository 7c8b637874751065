// Tests that certificates in use follow their files, survive whatever is done to those, and end with a warning.

import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { Certificates } from '../../../src/platform/tls/certificates.js';
import { writePair } from '../../support/certificates.js';
import { type LogLine, RecordingLog } from '../../support/recording-log.js';
import { LOCAL, TlsScene } from '../../support/tls-scene.js';

const DAY_MS = 24 * 60 * 60 * 1000;
/** Never by itself: tests look when they want to. */
const BY_HAND = { lookEveryMs: DAY_MS };

describe('certificates in use', () => {
  let scene: TlsScene;
  let log: RecordingLog;
  let open: Certificates[];
  beforeEach(() => {
    scene = new TlsScene();
    log = new RecordingLog();
    open = [];
  });
  afterEach(() => {
    for (const each of open) each.close();
    scene.clear();
  });
  const messages = (level: LogLine['level']): string[] =>
    log.lines.filter((line) => line.level === level).map(({ message }) => message);
  const use = (files = scene.files(), options: object = {}): Certificates => {
    const certificates = new Certificates(files, log, { ...BY_HAND, ...options });
    open.push(certificates);
    return certificates;
  };

  it('are those of the files again, as soon as these have changed', () => {
    const certificates = use();
    const taken: string[] = [];
    certificates.watch(({ pem }) => taken.push(`${pem.cert}`));
    const next = scene.authority.issue({ names: LOCAL });
    scene.replaceServer(next);
    certificates.refresh();
    certificates.refresh();
    expect(taken).to.deep.equal([next.cert]);
    expect(`${certificates.current.pem.key}`).to.equal(next.key);
    expect(messages('info')).to.deep.equal(['TLS certificates in use', 'new TLS certificates in use']);
  });

  it('are looked for by themselves', async () => {
    const certificates = use(scene.files(), { lookEveryMs: 5 });
    const next = scene.authority.issue({ names: LOCAL });
    const taken = new Promise<string>((resolve) => certificates.watch(({ pem }) => resolve(`${pem.cert}`)));
    scene.replaceServer(next);
    expect(await taken).to.equal(next.cert);
  });

  it('stay while a pair is half replaced or broken, which is logged once', () => {
    const certificates = use();
    const before = certificates.current;
    const next = scene.authority.issue({ names: LOCAL });
    writeFileSync(scene.server.cert, next.cert);
    for (let look = 0; look < 3; look++) certificates.refresh();
    expect(certificates.current).to.equal(before);
    expect(messages('error')).to.have.length(1);
    expect(log.text).to.include('not the key of the certificate').and.not.include('BEGIN');
    writeFileSync(scene.server.key, next.key);
    certificates.refresh();
    expect(`${certificates.current.pem.cert}`).to.equal(next.cert);
  });

  it('stay while a file is away, empty, or open to everybody, and follow it when that is mended', () => {
    const certificates = use();
    const { cert, key } = scene.server;
    const before = certificates.current;
    const next = scene.authority.issue({ names: LOCAL });
    const harms = [
      () => rmSync(key),
      () => writeFileSync(key, '', { mode: 0o600 }),
      () => writeFileSync(key, next.key),
    ];
    for (const harm of harms) {
      harm();
      certificates.refresh();
      expect(certificates.current).to.equal(before);
    }
    chmodSync(key, 0o644);
    writeFileSync(cert, next.cert);
    certificates.refresh();
    expect(certificates.current).to.equal(before);
    chmodSync(key, 0o600);
    certificates.refresh();
    expect(`${certificates.current.pem.cert}`).to.equal(next.cert);
    expect(messages('error')).to.have.length(4);
  });

  it('say so when the files are as before again', () => {
    const certificates = use();
    const { key } = scene.server;
    const kept = `${certificates.current.pem.key}`;
    writeFileSync(key, 'nonsense');
    certificates.refresh();
    writeFileSync(key, kept);
    certificates.refresh();
    expect(messages('info').at(-1)).to.equal('TLS files are valid again, and unchanged');
  });

  it('follow links that are swung, as Kubernetes does it', () => {
    const { folder, authority } = scene;
    const pairs = [authority.issue({ names: LOCAL }), authority.issue({ names: LOCAL })];
    pairs.forEach((pair, index) => {
      mkdirSync(join(folder, `..${index}`));
      writePair(join(folder, `..${index}`), 'tls', pair);
    });
    symlinkSync('..0', join(folder, '..data'));
    for (const name of ['tls.crt', 'tls.key']) symlinkSync(join('..data', name), join(folder, name));
    const certificates = use({ cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key'), ca: undefined });
    symlinkSync('..1', join(folder, '..data_tmp'));
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
    rmSync(join(folder, '..0'), { recursive: true });
    certificates.refresh();
    expect(`${certificates.current.pem.cert}`).to.equal(pairs[1]?.cert);
    expect(messages('error')).to.deep.equal([]);
  });

  it('warn two weeks before they end, once a day, and once they have ended', () => {
    let nowMs = Date.now();
    const certificates = use(scene.files(), { now: () => nowMs });
    const look = (days: number): number => {
      nowMs = Date.now() + days * DAY_MS;
      certificates.refresh();
      certificates.refresh();
      return messages('warn').length;
    };
    // It ends in 90 days.
    expect([75, 77, 77.5, 78.1, 89.9, 90.1, 90.2, 91.2].map(look)).to.deep.equal([0, 1, 1, 2, 3, 4, 4, 5]);
    expect(messages('warn').slice(2, 4)).to.deep.equal([
      'a TLS certificate in use is about to expire',
      'a TLS certificate in use has expired',
    ]);
    scene.replaceServer(scene.authority.issue({ names: LOCAL, endsInMs: 400 * DAY_MS }));
    expect(look(92)).to.equal(5);
  });

  it('warn at the start of what has ended, or has not begun', () => {
    use({ ...scene.pair('old', { endsInMs: -1_000 }), ca: undefined });
    use({ ...scene.pair('early', { startsInMs: DAY_MS }), ca: undefined });
    expect(messages('warn')).to.deep.equal([
      'a TLS certificate in use has expired',
      'a TLS certificate in use is not valid yet',
    ]);
  });
});
