// Tests that the issuer's credential is changed without a refused login, as docs/operations.md says.

import { expect } from 'chai';
import { failureOfCall, type TestClient } from '../support/auth-client.js';
import { type RunningNode, Stage } from './stage.js';

const [OLD, NEW] = ['the credential of last year, which is to go', 'the-credential-of-this-year-which-comes'];

describe("changing the issuer's credential", () => {
  let stage: Stage;
  before(() => {
    stage = new Stage();
  });
  after(() => stage.clear());

  it('refuses no login while nodes and login back ends are changed one after the other', async () => {
    const redis = await stage.redis();
    const login = (client: TestClient, credential: string) => client.issue('alice', undefined, credential);
    const restarted = async (node: RunningNode, env: Record<string, string>): Promise<RunningNode> => {
      await node.process.stop();
      return stage.serveHere(redis, env);
    };
    let one = await stage.serveHere(redis, { ISSUER_TOKEN: OLD });
    let two = await stage.serveHere(redis, { ISSUER_TOKEN: OLD });
    // The new one is good beside the old, on every node, before anybody sends it.
    one = await restarted(one, { ISSUER_TOKEN: OLD, ISSUER_TOKENS: NEW });
    await Promise.all([one, two].map(({ client }) => login(client, OLD)));
    two = await restarted(two, { ISSUER_TOKEN: OLD, ISSUER_TOKENS: NEW });
    await Promise.all([one, two].flatMap(({ client }) => [login(client, OLD), login(client, NEW)]));
    // All back ends send the new one: the old one goes.
    one = await restarted(one, { ISSUER_TOKEN: NEW });
    await Promise.all([one, two].map(({ client }) => login(client, NEW)));
    two = await restarted(two, { ISSUER_TOKEN: NEW });
    await Promise.all([one, two].map(({ client }) => login(client, NEW)));
    for (const { client, process } of [one, two]) {
      expect((await failureOfCall(login(client, OLD))).code).to.equal('UNAUTHENTICATED');
      expect(process.output()).to.not.include(OLD).and.not.include(NEW);
    }
  });
});
