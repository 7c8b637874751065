// The proof of a validator over TLS and mutual TLS, with the real service.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Validator, ValidatorOptions } from '../../src/validator/api.js';
import { createValidator } from '../../src/validator/create-validator.js';
import { CannotTell } from '../../src/validator/errors.js';
import { ecPem } from '../attacks/forge.js';
import { Stage } from '../e2e/stage.js';
import { TlsScene } from '../support/tls-scene.js';
import { until } from '../support/waiting.js';

describe('a validator over TLS', () => {
  const stage = new Stage();
  const scene = new TlsScene();
  const validators: Validator[] = [];
  let address: string;
  let accessToken: string;
  before(async () => {
    const { cert, key } = scene.server;
    const tls = { GRPC_TLS_CERT: cert, GRPC_TLS_KEY: key, GRPC_TLS_CLIENT_CA: scene.ca };
    const node = await stage.serveHere(await stage.folder(), tls);
    address = node.process.address;
    const client = scene.client(address, scene.authority.issue({ names: ['DNS:client'] }));
    accessToken = (await client.issue()).accessToken;
  });
  after(async () => {
    await stage.clear();
    scene.clear();
  });
  afterEach(async () => {
    for (const each of validators.splice(0)) await each.close();
  });

  function validator(tls: ValidatorOptions['tls']): Validator {
    const made = createValidator({ address, deadline: '2s', ...(tls === undefined ? {} : { tls }) });
    validators.push(made);
    return made;
  }
  const outcome = (call: Promise<unknown>) => call.catch((error: unknown) => error);

  it('shows its own certificate, and checks that of the service', async () => {
    const each = validator({ ca: scene.ca, ...scene.pair('validator') });
    await each.ready();
    expect(await each.validate(accessToken)).to.include({ active: true });
  });

  for (const [name, tls, reason] of [
    ['no TLS', () => undefined, 'may speak TLS'],
    ['no certificate', () => ({ ca: scene.ca }), 'client certificate'],
    ['roots that do not know the service', () => true, 'unknown CA'],
    ['another CA', () => ({ ca: scene.foreignCa, ...scene.pair('stranger') }), 'unknown CA'],
    ['another name', () => ({ ca: scene.ca, name: 'other.internal', ...scene.pair('named') }), 'another name'],
  ] as const) {
    it(`cannot tell anything with ${name}, and says why`, async () => {
      const each = validator(tls());
      expect(await outcome(each.ready('1s')))
        .to.be.instanceOf(CannotTell)
        .with.property('message')
        .that.includes(reason);
      expect(await outcome(each.validate(accessToken))).to.be.instanceOf(CannotTell);
    });
  }

  it('follows the feed with its own certificate, and with no other', async () => {
    const keys = await stage.folder();
    writeFileSync(join(keys, 'es256.pem'), ecPem, { mode: 0o600 });
    const { cert, key } = scene.server;
    const tls = { GRPC_TLS_CERT: cert, GRPC_TLS_KEY: key, GRPC_TLS_CLIENT_CA: scene.ca, JWT_KEYS_DIR: keys };
    const node = await stage.serve(await stage.folder(), tls);
    const by = { source: 'feed', address: node.process.address, deadline: '2s' } as const;
    const each = createValidator({ ...by, tls: { ca: scene.ca, ...scene.pair('follower') } });
    const stranger = createValidator({ ...by, tls: { ca: scene.ca } });
    validators.push(each, stranger);
    await each.ready();
    const issued = await scene.client(node.process.address, scene.authority.issue()).issue();
    const { accessToken: token, refreshToken } = issued;
    expect(await each.validate(token, { consistency: 'strict' })).to.include({ active: true });
    await scene.client(node.process.address, scene.authority.issue()).logout({ refreshToken });
    expect(await each.validate(token, { consistency: 'strict' })).to.include({ problem: 'REVOKED' });
    expect(each.state()).to.include({ feed: 'following' });
    expect(await outcome(stranger.ready('1s'))).to.be.instanceOf(CannotTell);
    expect(stranger.state()).to.include({ feed: 'starting', revocations: 0 });
  });

  it('refuses files at once that cannot be used', () => {
    const path = join(scene.folder, 'empty.pem');
    writeFileSync(path, '');
    expect(() => validator({ ca: path })).to.throw('holds no PEM certificate');
  });

  it('takes up replaced files with its next connection, and keeps the last good ones meanwhile', async () => {
    const pair = scene.pair('renewed', {}, scene.foreign);
    const each = validator({ ca: scene.ca, ...pair });
    expect(await outcome(each.ready('500ms'))).to.be.instanceOf(CannotTell);
    writeFileSync(pair.cert, 'half');
    const good = scene.authority.issue({});
    writeFileSync(pair.key, good.key);
    writeFileSync(pair.cert, good.cert);
    await until(async () => !((await outcome(each.validate(accessToken))) instanceof CannotTell));
    expect(await each.validate(accessToken)).to.include({ active: true });
  });
});
