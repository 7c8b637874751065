// Tests the tables of docs/migration-from-simplejwt.md on adopted tokens with numeric user ids, row by row, on a running service.

import { expect } from 'chai';
import type { TokenKind } from '../../src/core/token/token.js';
import { type AnyBrowser, pairIn } from '../e2e/browser.js';
import { type RunningNode, Stage } from '../e2e/stage.js';
import { claimsOf, foreignClaims, foreignText, nowS } from '../e2e/tokens.js';
import { codeOf, readText } from './markdown.js';

/** The rows of the table whose head begins with these cells. */
function rowsBelow(head: string): readonly (readonly (string | undefined)[])[] {
  const [, rest = ''] = readText('docs/migration-from-simplejwt.md').split(`${head}\n`);
  const [table = ''] = rest.split('\n\n');
  const rows = table.split('\n').slice(1);
  if (rows.length < 3) throw new Error(`docs/migration-from-simplejwt.md has no table with the head ${head}`);
  return rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => codeOf(cell) ?? cell.trim()),
  );
}

/** An authentic token of simplejwt with one claim as this text, which need not be what JavaScript can write. */
const tokenWith = (kind: TokenKind, name: string, text = ''): string =>
  foreignText(JSON.stringify(foreignClaims(kind, { [name]: '@' })).replace('"@"', text));

describe('the tables on numeric user ids', () => {
  const stage = new Stage();
  let node: RunningNode;
  let browser: AnyBrowser;
  before(async () => {
    const since = new Date((nowS() - 3_600) * 1000).toISOString();
    node = await stage.serveHere(await stage.redis(), { ADOPT_TOKENS: 'simplejwt', SESSIONS_SINCE: since });
    browser = await stage.gatewayHere(node);
  });
  after(() => stage.clear());

  for (const [id, outcome, subject = '', claim = ''] of rowsBelow(
    "| In simplejwt's token | Outcome | `sub` of the next pair | The claim in the next pair |",
  )) {
    it(`a user_id of ${id} is ${outcome}`, async () => {
      const [access, refresh] = [tokenWith('access', 'user_id', id), tokenWith('refresh', 'user_id', id)];
      const answer = await browser.refresh(refresh);
      if (outcome !== 'adopted') {
        expect(await node.client.verdict(access)).to.equal(outcome);
        expect([answer.status, JSON.parse(answer.text).code]).to.deep.equal([401, 'token_not_valid']);
        return;
      }
      expect((await node.client.validate(access)).subject).to.equal(JSON.parse(subject));
      const { sub, user_id } = claimsOf(pairIn(answer).access);
      expect([sub, user_id]).to.deep.equal([JSON.parse(subject), JSON.parse(claim)]);
    });
  }

  for (const [value, outcome, verdict, reported = ''] of rowsBelow(
    "| In simplejwt's token | A refresh token | An access token | `include_claims` reports |",
  )) {
    it(`another claim of ${value}: a refresh token is ${outcome}, an access token ${verdict}`, async () => {
      const access = tokenWith('access', 'other', value);
      expect(await node.client.verdict(access)).to.equal(verdict);
      const { claims } = await node.client.validate(access, true);
      expect(JSON.stringify(claims?.['other'])).to.equal(reported);
      const { status } = await browser.refresh(tokenWith('refresh', 'other', value));
      expect(status).to.equal(outcome === 'adopted' ? 200 : 401);
    });
  }

  it('a number and the same digits as text are one subject', async () => {
    const tokens = ['42', '"42"'].map((id) => tokenWith('access', 'user_id', id));
    await node.client.revokeSubject('42');
    for (const token of tokens) expect(await node.client.verdict(token)).to.equal('REVOKED');
  });
});
