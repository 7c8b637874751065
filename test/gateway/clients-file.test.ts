// Tests of the file of OAuth clients while a gateway runs: it is read again, and a file with faults changes nothing.

import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ClientsFile } from '../../gateway/oauth/clients-file.js';
import { RecordingLog } from '../support/recording-log.js';
import { until } from '../support/waiting.js';

const entry = (id: string) => ({ id, secret_sha256: ['ab'.repeat(32)], rights: ['introspect'] });

describe('gateway: the file of OAuth clients', () => {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-clients-'));
  const path = join(folder, 'clients.json');
  let log: RecordingLog;
  let file: ClientsFile;
  const write = (content: unknown): void => {
    writeFileSync(`${path}.new`, typeof content === 'string' ? content : JSON.stringify(content));
    renameSync(`${path}.new`, path);
  };
  const ids = (): string[] => [...file.clients.keys()];

  beforeEach(() => {
    log = new RecordingLog();
    write({ clients: [entry('orders')] });
    file = new ClientsFile({ path, rights: ['introspect'] }, log, 5);
  });
  afterEach(() => file.close());
  after(() => rmSync(folder, { recursive: true }));

  it('is read again by itself, and every change is logged once', async () => {
    expect(ids()).to.deep.equal(['orders']);
    write({ clients: [entry('orders'), entry('mail')] });
    await until(() => ids().length === 2);
    write({ clients: [entry('mail')] });
    file.refresh();
    file.refresh();
    expect(ids()).to.deep.equal(['mail']);
    const lines = log.lines.filter(({ message }) => message === 'OAuth clients in use');
    expect(lines.map(({ fields }) => fields['clients'])).to.deep.equal([['orders'], ['orders', 'mail'], ['mail']]);
  });

  it('keeps its clients while it has faults or is missing, and says so once for each fault', () => {
    const broken: readonly (() => void)[] = [
      () => write('{'),
      () => write({ clients: [entry('orders'), entry('orders')] }),
      () => rmSync(path),
    ];
    for (const make of broken) {
      make();
      file.refresh();
      file.refresh();
      expect(ids()).to.deep.equal(['orders']);
    }
    const errors = log.lines.filter(({ level }) => level === 'error');
    expect(errors.map(({ fields }) => fields['detail'])).to.deep.equal([
      ...['text that is not JSON', 'two clients with the id orders', 'a path: no such file'],
    ]);
    write({ clients: [entry('orders')] });
    file.refresh();
    expect(log.lines.at(-1)?.message).to.equal('the file of OAuth clients is valid again, and unchanged');
  });
});
