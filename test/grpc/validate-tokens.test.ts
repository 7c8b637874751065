// Tests of the batch over the real wire: its order, its bounds, and that one token harms no other.

import { expect } from 'chai';
import type { ValidateTokensResult } from '../../proto/gen/auth/v1/auth_service.js';
import { TokenProblem } from '../../proto/gen/auth/v1/token.js';
import type { Context } from '../../src/core/context.js';
import type { ServiceCall } from '../../src/grpc/call-context.js';
import { validateTokens } from '../../src/grpc/services/validate-tokens.js';
import { failureOfCall } from '../support/auth-client.js';
import { GrpcScene } from '../support/grpc-scene.js';
import { until } from '../support/waiting.js';

const textOf = ({ validation, cannotTell }: ValidateTokensResult): string => {
  if (cannotTell) return `cannot tell, again in ${cannotTell.retryDelay?.seconds} s`;
  if (validation?.active) return validation.subject;
  return (
    Object.keys(TokenProblem).find((name) => TokenProblem[name as keyof typeof TokenProblem] === validation?.problem) ??
    ''
  );
};

describe('ValidateTokens', () => {
  let scene: GrpcScene;
  beforeEach(async () => {
    scene = await GrpcScene.start({ maxConcurrentCalls: 2_000 });
  });
  afterEach(() => scene.stop());

  it('answers in order, each token by itself, whatever the others are', async () => {
    const { client } = scene;
    const [anna, ben] = await Promise.all([client.issue('anna'), client.issue('ben')]);
    await client.logout({ accessToken: ben.accessToken });
    const tokens = [
      ...[anna.accessToken, 'nonsense', ben.accessToken, anna.refreshToken, anna.accessToken],
      ...['', 'x'.repeat(8_193), `${anna.accessToken.slice(0, -4)}AAAA`],
    ];
    expect((await client.validateMany(tokens)).map(textOf)).to.deep.equal([
      ...['anna', 'TOKEN_PROBLEM_MALFORMED', 'TOKEN_PROBLEM_REVOKED', 'TOKEN_PROBLEM_WRONG_TYPE', 'anna'],
      ...['TOKEN_PROBLEM_MALFORMED', 'TOKEN_PROBLEM_MALFORMED', 'TOKEN_PROBLEM_BAD_SIGNATURE'],
    ]);
  });

  it('says of each what ValidateToken says, with claims where they are asked for', async () => {
    const { client } = scene;
    const { accessToken } = await client.issue('anna', { role: 'editor' });
    for (const claims of [false, true]) {
      for (let time = 0; time < 2; time++) {
        const [result] = await client.validateMany([accessToken], claims);
        expect(result?.validation).to.deep.equal(await client.validate(accessToken, claims));
        expect(result?.validation?.claims).to.deep.equal(claims ? { role: 'editor' } : undefined);
      }
    }
  });

  it('takes 1 to 1000 tokens', async () => {
    const { client } = scene;
    const { accessToken } = await client.issue('anna');
    const field = 'access_tokens';
    const [none, many] = await Promise.all(
      [0, 1_001].map((count) => failureOfCall(client.validateMany(Array(count).fill(accessToken)))),
    );
    expect(none).to.include({ code: 'INVALID_ARGUMENT', field, fieldReason: 'REQUIRED' });
    expect(many).to.include({ code: 'INVALID_ARGUMENT', field, fieldReason: 'TOO_LARGE' });
    const results = await client.validateMany(Array(1_000).fill(accessToken));
    expect(results.map(textOf)).to.deep.equal(Array(1_000).fill('anna'));
  });

  it('cannot tell of those alone whose entries cannot be read', async () => {
    const { client, world } = scene;
    // The store of this scene has two shards, by the length of a subject.
    const [odd, even] = await Promise.all([client.issue('odd'), client.issue('even')]);
    scene.flowing = false;
    const results = client.validateMany([odd.accessToken, even.accessToken, 'nonsense']);
    await until(() => world.pending.length >= 2);
    world.pending[0]?.fail();
    scene.flowing = true;
    expect((await results).map(textOf)).to.deep.equal(['cannot tell, again in 1 s', 'even', 'TOKEN_PROBLEM_MALFORMED']);
  });

  it('answers for bad tokens while the store is away', async () => {
    const { client, world } = scene;
    const { accessToken } = await client.issue('anna');
    scene.flowing = false;
    const results = client.validateMany([accessToken, 'nonsense']);
    await until(() => world.pending.length >= 1);
    world.setReachable(false);
    expect((await results).map(textOf)).to.deep.equal(['cannot tell, again in 1 s', 'TOKEN_PROBLEM_MALFORMED']);
  });

  it('fails as a whole for an unexpected fault, once all of its tokens have been looked at', async () => {
    let looked = 0;
    const broken = {
      verified: {
        get() {
          looked++;
          throw new TypeError('broken');
        },
      },
    };
    const handler = validateTokens(broken as unknown as Context);
    const call = {
      budgetMs: 1_000,
      isWanted: true,
      reserveTokens: () => {},
      addLogFields: () => {},
      setSessionId: () => {},
    };
    const request = { accessTokens: ['a', 'b', 'c'], includeClaims: false };
    const thrown = await handler(request, call as unknown as ServiceCall).catch((error: unknown) => error);
    expect(thrown).to.be.instanceOf(TypeError);
    expect(looked).to.equal(3);
  });

  it('lets other calls in between, while it checks many signatures', async () => {
    const { client } = scene;
    const pairs = await Promise.all(Array.from({ length: 1_000 }, (_, n) => client.issue(`user-${n}`)));
    const batch = client.validateMany(pairs.map(({ accessToken }) => accessToken));
    let served = 0;
    let open = true;
    void batch.finally(() => {
      open = false;
    });
    while (open) {
      await client.health();
      if (open) served++;
    }
    expect((await batch).map(textOf)).to.deep.equal(pairs.map((_, n) => `user-${n}`));
    expect(served, 'calls that were answered meanwhile').to.be.greaterThan(2);
  });

  it('is refused while others hold as many tokens as are taken, and holds up no single call', async () => {
    await scene.stop();
    scene = await GrpcScene.start({ maxConcurrentCalls: 20 });
    const { client, world } = scene;
    const { accessToken } = await client.issue('anna');
    const many = () => client.validateMany(Array(1_000).fill(accessToken));
    scene.flowing = false;
    const taken = many();
    await until(() => world.pending.length > 0);
    expect(await failureOfCall(many())).to.include({ code: 'RESOURCE_EXHAUSTED', retryAfterS: 1 });
    const [one, few] = [client.verdict(accessToken), client.validateMany([accessToken])];
    scene.flowing = true;
    expect(await one).to.equal('active');
    expect((await few).map(textOf)).to.deep.equal(['anna']);
    expect(await taken).to.have.length(1_000);
    expect(await many(), 'once the first is over').to.have.length(1_000);
  });
});
