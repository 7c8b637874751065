// The proof of the bounds that attackers and large deployments reach: refused tokens, renewals, keys of a set.

import { expect } from 'chai';
import { buildValidator } from '../../src/validator/build-validator.js';
import { momentNow, SYSTEM_CLOCK } from '../../src/validator/clock.js';
import { KeySet, MAX_KEYS } from '../../src/validator/key-set.js';
import { MAX_RENEWALS, TokenQueue } from '../../src/validator/token-queue.js';
import { goodToken, keySetOf, ScriptedService } from './scripted-service.js';

describe('a validator', () => {
  it('keeps forged tokens from displacing good ones, and asks nothing about them', async () => {
    const service = await new ScriptedService().start();
    const validator = buildValidator({
      address: service.address,
      maxRemembered: 100,
      maxStaleness: '5m',
      deadline: '5s',
    });
    await validator.ready();
    const good = Array.from({ length: 100 }, () => goodToken());
    await Promise.all(good.map((token) => validator.validate(token)));
    const { calls } = validator.state();
    const [head = ''] = good;
    for (let n = 0; n < 500; n++) {
      const forged = `${head.slice(0, -48)}${`${n}`.padStart(47, 'A')}A`;
      expect(validator.validateNow(forged)).to.include({ problem: 'BAD_SIGNATURE' });
    }
    expect(good.every((token) => validator.validateNow(token)?.active)).to.equal(true);
    expect(validator.state()).to.include({ remembered: 110, calls, refusedHere: 500 });
    await validator.close();
    service.stop();
  });

  it('has no more tokens wait for a renewal than its bound, and takes each of them once', () => {
    const asks = new TokenQueue();
    for (let n = 0; n < MAX_RENEWALS; n++) expect(asks.renew(`${n}`, undefined)).to.equal(true);
    expect(asks.renew('one more', undefined)).to.equal(false);
    expect(asks.size).to.equal(MAX_RENEWALS);
  });

  it('uses no more keys of a set than its bound', async () => {
    const [key] = keySetOf().keys;
    if (!key) throw new Error('no key');
    const keys = Array.from({ length: MAX_KEYS + 1 }, (_, n) => ({ ...key, kid: `${n}` }));
    const fetch = async () => ({ keys, maxAgeSeconds: 300 });
    const keySet = new KeySet({ clock: SYSTEM_CLOCK, random: () => 0, fetch });
    await keySet.fetch();
    expect(keySet.countAt(momentNow(SYSTEM_CLOCK))).to.equal(MAX_KEYS);
    keySet.close();
  });

  it('uses no key of a set that the service does not sign with: a small one, another curve, another use of its name', async () => {
    const [key] = keySetOf().keys;
    if (!key) throw new Error('no key');
    const keys = [
      { ...key, alg: 'RS256' },
      { ...key, alg: 'none' },
      { ...key, kid: '' },
      { ...key, kty: 'oct' },
      { ...key, crv: 'P-384' },
      { ...key, x: 'AAAA' },
    ];
    const fetch = async () => ({ keys, maxAgeSeconds: 300 });
    const keySet = new KeySet({ clock: SYSTEM_CLOCK, random: () => 0, fetch });
    await keySet.fetch();
    expect(keySet.countAt(momentNow(SYSTEM_CLOCK))).to.equal(0);
    keySet.close();
  });
});
