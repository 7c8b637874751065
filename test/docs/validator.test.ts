// Tests of docs/validator.md against the code: its options, its fields, and what clients get.

import { status } from '@grpc/grpc-js';
import { expect } from 'chai';
import { ErrorInfo } from '../../proto/gen/google/rpc/error_details.js';
import { Status } from '../../proto/gen/google/rpc/status.js';
import { statusOf } from '../../src/middleware/grpc-status.js';
import type { Refused } from '../../src/middleware/guard.js';
import { refusalOf } from '../../src/middleware/http-refusal.js';
import { CannotTell } from '../../src/validator/errors.js';
import { codeOf, type Rows, readText, tableBelow } from './markdown.js';

const PAGE = readText('docs/validator.md');
const API = readText('src/validator/api.ts');
const REQUIREMENTS = readText('src/middleware/options.ts');

/** The members of an interface, in order, each with the default that its comment names. */
function membersOf(source: string, name: string): readonly (readonly [member: string, standard: string | undefined])[] {
  const [, body = ''] = new RegExp(`^export interface ${name}\\b[^{]*\\{\\n(.*?)^\\}`, 'ms').exec(source) ?? [];
  const members = [...body.matchAll(/(?:\/\*\*((?:(?!\*\/).)*)\*\/\s*)?readonly (\w+)\??:/gs)];
  if (members.length === 0) throw new Error(`there is no interface ${name}, or it has no members`);
  return members.map(([, comment = '', member = '']) => {
    const standard = /Default: `?([\w,]+?)`?\.(?:\s|$)/.exec(comment.replaceAll(/\n\s*\*/g, ''))?.[1];
    return [member, standard !== undefined && /^(?:[\d,]+\w*|[a-z]+)$/.test(standard) ? standard : undefined] as const;
  });
}

const namesIn = (rows: Rows): (string | undefined)[] => rows.map(([name]) => codeOf(name));

const REFUSED: readonly Refused[] = [
  { kind: 'missing' },
  { kind: 'invalid' },
  { kind: 'inactive', problem: 'REVOKED' },
  { kind: 'incomplete', claim: 'role' },
  { kind: 'unknown', error: new CannotTell('a test', 1_000) },
];

describe('docs/validator.md', () => {
  it('has every option of createValidator with its default, and no other', () => {
    const rows = tableBelow(PAGE, '### Of `createValidator`').map(([name, standard]) => [
      codeOf(name),
      codeOf(standard),
    ]);
    expect(rows).to.deep.equal(membersOf(API, 'ValidatorOptions'));
    expect(rows.filter(([, standard]) => standard !== undefined)).to.have.length(7);
  });

  it('has every option of tls and of a route', () => {
    const names = (source: string, name: string) => membersOf(source, name).map(([member]) => member);
    expect(namesIn(tableBelow(PAGE, '### Of `tls`'))).to.deep.equal(names(API, 'ValidatorTls'));
    expect(namesIn(tableBelow(PAGE, '### What a route requires'))).to.deep.equal([
      ...names(API, 'ValidateOptions'),
      ...names(REQUIREMENTS, 'TokenRequirements'),
    ]);
  });

  it('has every field of the state', () => {
    expect(namesIn(tableBelow(PAGE, '## Metrics'))).to.deep.equal(
      membersOf(API, 'ValidatorState').map(([name]) => name),
    );
  });

  it('says what clients get', () => {
    const rows = tableBelow(PAGE, '## What clients get');
    expect(rows).to.have.length(REFUSED.length);
    for (const [at, refused] of REFUSED.entries()) {
      const [, http = '', challenge, code, grpc, reason] = rows[at] ?? [];
      const { status: httpStatus, headers, body } = refusalOf(refused);
      expect(http).to.match(new RegExp(`^${httpStatus}\\b`));
      expect(http.includes('Retry-After')).to.equal('retry-after' in headers);
      const written = headers['www-authenticate']?.replace(/^Bearer realm="api"(?:, )?/, '');
      expect(codeOf(challenge) ?? (challenge === 'nothing' ? '' : undefined)).to.equal(written);
      expect(codeOf(code)).to.equal(body.code);
      const { code: grpcCode, metadata } = statusOf(refused);
      expect(codeOf(grpc)).to.equal(status[grpcCode]);
      const [packed] = metadata.get('grpc-status-details-bin');
      const [detail] = Status.decode(packed as Buffer).details;
      const isInfo = detail?.typeUrl.endsWith('ErrorInfo') ?? false;
      expect(codeOf(reason)).to.equal(isInfo ? ErrorInfo.decode(detail?.value ?? Buffer.of()).reason : undefined);
    }
  });
});
