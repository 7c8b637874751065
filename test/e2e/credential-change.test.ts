// Tests that the issuer's credential is changed without a refused login, as docs/operations.md says.

import { expect } from 'chai';
import { basic, REVOKE_ALL, SECRET, writeOAuthClients } from '../gateway/oauth-clients.js';
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
    // Every node accepts the new credential beside the old one before any back end sends it.
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

describe('changing the credential to revoke', () => {
  let stage: Stage;
  before(() => {
    stage = new Stage();
  });
  after(() => stage.clear());

  /** The status of a global token revocation by a new gateway that has this credential, and asks this node. */
  async function statusBy(credential: string, node: RunningNode): Promise<number> {
    const { variables, remove } = writeOAuthClients({ REVOKER_TOKEN: credential });
    stage.owns(remove);
    const gateway = await stage.gatewayHere(node, variables as Record<string, string>);
    const response = await fetch(`http://${gateway.process.address}${REVOKE_ALL}`, {
      ...{ method: 'POST', body: JSON.stringify({ sub_id: { format: 'opaque', id: 'alice' } }) },
      headers: { 'content-type': 'application/json', ...basic('manager', SECRET) },
    });
    return response.status;
  }

  it('refuses no revocation while nodes and gateways are changed one after the other', async () => {
    const redis = await stage.redis();
    const before = await stage.serveHere(redis, { REVOKER_TOKEN: OLD });
    const between = await stage.serveHere(redis, { REVOKER_TOKEN: OLD, REVOKER_TOKENS: NEW });
    const after = await stage.serveHere(redis, { REVOKER_TOKEN: NEW });
    // 1. Nodes accept both, one after the other; 2. gateways send the new one; 3. nodes accept the new one alone.
    expect([await statusBy(OLD, before), await statusBy(OLD, between)]).to.deep.equal([204, 204]);
    expect([await statusBy(NEW, between), await statusBy(NEW, after)]).to.deep.equal([204, 204]);
    expect([await statusBy(OLD, after), await statusBy(NEW, before)]).to.deep.equal([503, 503]);
    // It is good for nothing else.
    expect((await failureOfCall(between.client.issue('alice', undefined, NEW))).code).to.equal('UNAUTHENTICATED');
    for (const { process } of [before, between, after])
      expect(process.output()).to.not.include(NEW).and.not.include(OLD);
  });
});
