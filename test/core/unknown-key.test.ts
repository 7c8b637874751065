// Tests of a token whose key is unknown: one rescan of the keys, and no more.

import { expect } from 'chai';
import type { Context } from '../../src/core/context.js';
import { TokenRefused } from '../../src/core/token/errors.js';
import type { VerifiedJws } from '../../src/core/token/verified-jws.js';
import { refresh } from '../../src/core/use-cases/refresh.js';
import { failure, Scene } from '../support/scene.js';
import { plainKeys } from '../support/world.js';

/** A scene whose keys know none, until a rescan finds them. */
class Keyless extends Scene {
  opens = 0;
  rescans = 0;

  constructor(problem: 'UNKNOWN_KEY' | 'BAD_SIGNATURE', found: boolean) {
    super();
    const { context } = this;
    const verify = (token: string): VerifiedJws => {
      this.opens++;
      if (this.rescans > 0 && found) return plainKeys.verify(token);
      throw new TokenRefused(problem, 'the token names no key of ours');
    };
    const rescan = async (): Promise<boolean> => {
      this.rescans++;
      return found;
    };
    const keys: Context['keys'] = { ...plainKeys, verify, rescan };
    this.context = { ...context, keys };
  }
}

describe('a token of an unknown key', () => {
  it('is good if a rescan finds the key, for every call', async () => {
    for (const ask of ['refresh', 'validate', 'logout'] as const) {
      const scene = new Keyless('UNKNOWN_KEY', true);
      const { accessToken, refreshToken } = await scene.issue();
      if (ask === 'refresh') await scene.refresh(refreshToken);
      if (ask === 'validate') expect(await scene.verdict(accessToken)).to.equal('active');
      if (ask === 'logout') await scene.logout('', refreshToken);
      expect([scene.opens, scene.rescans], ask).to.deep.equal([2, 1]);
    }
  });

  it('is refused after one rescan that finds nothing new, and not opened again', async () => {
    const scene = new Keyless('UNKNOWN_KEY', false);
    const { accessToken, refreshToken } = await scene.issue();
    expect(await failure(scene.refresh(refreshToken))).to.equal('UNKNOWN_KEY');
    expect(await scene.verdict(accessToken)).to.equal('UNKNOWN_KEY');
    expect([scene.opens, scene.rescans]).to.deep.equal([2, 2]);
  });

  it('is given no time to write that has gone by while the keys were looked at', async () => {
    const scene = new Keyless('UNKNOWN_KEY', true);
    const { refreshToken } = await scene.issue();
    // The caller has given up by the time that the key is found.
    const budgetMs = (): number => (scene.rescans === 0 ? 60_000 : -1);
    const late = scene.run((context, call) =>
      refresh(
        context,
        {
          ...call,
          get budgetMs() {
            return budgetMs();
          },
        },
        refreshToken,
      ),
    );
    expect(await failure(late)).to.equal('UNAVAILABLE');
    expect(scene.world.size, 'nothing was written').to.equal(0);
  });

  it('has no rescan if anything else is wrong with it, or nothing', async () => {
    const scene = new Keyless('BAD_SIGNATURE', true);
    const { refreshToken } = await scene.issue();
    expect(await failure(scene.refresh(refreshToken))).to.equal('BAD_SIGNATURE');
    expect(await failure(scene.refresh(''))).to.equal('REQUIRED refresh_token');
    expect(scene.rescans).to.equal(0);
  });
});
