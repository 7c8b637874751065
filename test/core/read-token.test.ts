// Tests of the checks of claims: type and range of each.

import { expect } from 'chai';
import type { Pair } from '../../src/core/session/token-pair.js';
import { altered, failure, Scene } from '../support/scene.js';
import { SECOND } from '../support/world.js';

describe('the claims of a token', () => {
  let scene: Scene;
  let pair: Pair;
  beforeEach(async () => {
    scene = new Scene();
    pair = await scene.issue('alice', { role: 'admin' });
  });

  const verdict = (claims: Record<string, unknown>) => scene.verdict(altered(pair.accessToken, claims));

  it('must all be there', async () => {
    for (const name of ['token_type', 'sub', 'sid', 'gen', 'jti', 'iat', 'exp']) {
      expect(await verdict({ [name]: undefined }), name).to.equal('MISSING_CLAIM');
    }
  });

  it('must be of their types, and in range', async () => {
    const odd: Record<string, unknown[]> = {
      token_type: [1, null, {}],
      sub: [1, null, '', 'x'.repeat(256), '\ud800', {}],
      sid: [1, 'x', '01A20377-79DE-7F89-969C-A4E3D0E9A198', '01a20377-79de-4f89-969c-a4e3d0e9a198', null],
      gen: ['0', -1, 0.5, 2 ** 31, null, {}],
      jti: [1, 'x', '', `r${pair.sessionId}.0`, `a${pair.sessionId}.1`],
      iat: ['1', -1, 1.5, 1e300, null, 2 ** 48],
      exp: ['1', -1, 1.5, 1e300, null, true, [1]],
      nbf: ['1', -1, 1.5, null],
      iss: [1, null, {}],
      aud: [1, null, {}, [1], ['a', null]],
      adopted: [false, 'true', 1, null],
    };
    for (const [name, values] of Object.entries(odd)) {
      for (const value of values) {
        expect(await verdict({ [name]: value }), `${name} ${JSON.stringify(value)}`).to.equal('MALFORMED');
      }
    }
  });

  it('must be an object, not nested too deep', async () => {
    const { payload: _, ...rest } = JSON.parse(pair.accessToken);
    for (const payload of ['text', 1, null, [], undefined]) {
      expect(await scene.verdict(JSON.stringify({ ...rest, payload })), `${payload}`).to.equal('MALFORMED');
    }
    expect(await verdict({ deep: JSON.parse(`${'['.repeat(800)}${']'.repeat(800)}`) })).to.equal('MALFORMED');
  });

  it('and the header must agree on the kind', async () => {
    expect(await scene.verdict(pair.refreshToken)).to.equal('WRONG_TYPE');
    expect(await failure(scene.refresh(pair.accessToken))).to.equal('WRONG_TYPE');
    expect(await verdict({ token_type: 'refresh' })).to.equal('WRONG_TYPE');
    const { typ: _, ...rest } = JSON.parse(pair.accessToken);
    for (const typ of ['JWT', 'rt+jwt', 'AT+JWT', 1, undefined]) {
      expect(await scene.verdict(JSON.stringify({ ...rest, typ })), `${typ}`).to.equal('WRONG_TYPE');
    }
  });

  it('are judged by time: `exp`, `nbf`, and not by `iat`, which we wrote ourselves', async () => {
    const nowS = Math.floor(scene.world.nowMs / SECOND);
    expect(await verdict({ exp: nowS })).to.equal('EXPIRED');
    expect(await verdict({ nbf: nowS + 1 })).to.equal('NOT_YET_VALID');
    expect(await verdict({ nbf: nowS })).to.equal('active');
    expect(await verdict({ iat: nowS + 60 })).to.equal('active');
  });

  it('name issuer and audience where those are configured', async () => {
    const strict = { issuer: 'us', audience: ['a', 'b'] };
    scene.context = scene.node(strict);
    expect(await verdict({})).to.equal('MISSING_CLAIM');
    expect(await verdict({ iss: 'us' })).to.equal('MISSING_CLAIM');
    expect(await verdict({ iss: 'them', aud: 'a' })).to.equal('WRONG_ISSUER');
    expect(await verdict({ iss: 'us', aud: 'c' })).to.equal('WRONG_AUDIENCE');
    expect(await verdict({ iss: 'us', aud: [] })).to.equal('WRONG_AUDIENCE');
    expect(await verdict({ iss: 'us', aud: ['c', 'b'] })).to.equal('active');
    expect(await verdict({ iss: 'us', aud: 'a' })).to.equal('active');
  });
});

describe('an entry that cannot be read', () => {
  it('is no answer: neither valid nor invalid', async () => {
    const scene = new Scene();
    const pair = await scene.issue();
    const session = { kind: 'session', subject: 'alice', sessionId: pair.sessionId } as const;
    const texts = [
      '',
      'garbage',
      '2 1 live 1 1 1 1 k',
      '1 x ended logout',
      '1 1 ended',
      '1 1 ended else',
      '1 1 live 1',
    ];
    for (const text of texts) {
      scene.world.put(session, text);
      expect(await failure(scene.verdict(pair.accessToken)), text).to.equal('UNAVAILABLE');
      expect(await failure(scene.refresh(pair.refreshToken)), text).to.equal('UNAVAILABLE');
      expect(await failure(scene.logout(pair.accessToken, '')), text).to.equal('UNAVAILABLE');
    }
    scene.world.evict(pair.sessionId);
    scene.world.put({ kind: 'not-before', subject: 'alice' }, '1 1 something');
    expect(await failure(scene.verdict(pair.accessToken))).to.equal('UNAVAILABLE');
    expect(await failure(scene.issue())).to.equal('UNAVAILABLE');
  });
});
