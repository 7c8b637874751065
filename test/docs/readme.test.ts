// Owns the proof that the README says what the code does: settings, problems, statuses, events, commands, paths.

import { status } from '@grpc/grpc-js';
import { expect } from 'chai';
import type { AuthClient } from '../../gateway/auth-client.js';
import { readGatewaySettings } from '../../gateway/config.js';
import { readPaths } from '../../gateway/routes/paths.js';
import { createRoutes, pathOf } from '../../gateway/routes/table.js';
import { AuthServiceService } from '../../proto/gen/auth/v1/auth_service.js';
import { IssuerServiceService } from '../../proto/gen/auth/v1/issuer_service.js';
import { TokenProblem } from '../../proto/gen/auth/v1/token.js';
import { Status } from '../../proto/gen/google/rpc/status.js';
import { HELP } from '../../src/commands/usage.js';
import type { AuditEvent } from '../../src/core/audit.js';
import { InvalidInput, refusal, StoreUnavailable } from '../../src/core/errors.js';
import { OVERLOADED, statusOf, Unauthenticated } from '../../src/grpc/status.js';
import { Environment } from '../../src/platform/env.js';
import { readLogLevel, readServiceSettings } from '../../src/settings/service.js';
import { codeLines, codeOf, readText, tableBelow } from './markdown.js';

const readme = (): string => readText('README.md');

/** The compiler keeps this list complete. */
const EVENTS: Readonly<Record<AuditEvent['event'], true>> = {
  session_started: true,
  session_refreshed: true,
  session_replayed: true,
  session_duplicate: true,
  session_reused: true,
  session_healed: true,
  session_lost: true,
  session_ended: true,
  subject_ended: true,
};

function asked(variables: Record<string, string>, ...readers: ((env: Environment) => unknown)[]) {
  const env = new Environment(variables);
  for (const read of readers) read(env);
  return env.asked;
}
const readService = (env: Environment) => readServiceSettings(env, 'serve', Date.now());

describe('the README', () => {
  describe('table of settings', () => {
    const rows = () => tableBelow(readme(), '## Settings');
    const documented = (...readers: string[]) =>
      rows()
        .filter(([, , reader]) => readers.includes(reader ?? ''))
        .map(([name, value = '']) => [codeOf(name), value.startsWith('none') ? undefined : codeOf(value)])
        .sort();

    it('has the variables of the service and their defaults, and no other', () => {
      const found = [...asked({}, readService, readLogLevel)].sort();
      expect(documented('`serve`', 'both')).to.deep.equal(found);
    });

    it('has the variables of the gateway and their defaults, and no other', () => {
      const found = [...asked({}, readGatewaySettings, readLogLevel)].sort();
      expect(documented('`gateway`', 'both')).to.deep.equal(found);
    });

    it('says who reads each of them', () => {
      expect(
        rows()
          .map(([, , reader]) => reader)
          .filter((reader) => !/^(`serve`|`gateway`|both)$/.test(reader ?? '')),
      ).to.deep.equal([]);
    });

    it('has the other default of SUBJECT_CLAIM when adopting', () => {
      const adopting = asked({ ADOPT_TOKENS: 'simplejwt' }, readService).get('SUBJECT_CLAIM');
      const row = rows().find(([name]) => name === '`SUBJECT_CLAIM`');
      expect(row?.[1]).to.contain(`\`${adopting}\` when adopting`);
    });
  });

  it('has every problem of a token, in the order of the contract', () => {
    const names = Object.keys(TokenProblem).map((name) => name.replace(/^TOKEN_PROBLEM_/, ''));
    const documented = tableBelow(readme(), '### Problems of a token').map(([name]) => codeOf(name));
    expect(documented).to.deep.equal(names.filter((name) => name !== 'UNSPECIFIED'));
  });

  it('has every audit event', () => {
    const documented = tableBelow(readme(), '## Audit events').map(([name]) => codeOf(name));
    expect(documented).to.deep.equal(Object.keys(EVENTS));
  });

  it('has the gRPC status and detail of every cause', () => {
    const causes: Readonly<Record<string, unknown>> = {
      'a bad token, to RefreshToken and Logout': refusal('EXPIRED'),
      'empty, oversized or otherwise wrong input': new InvalidInput({
        field: 'f',
        reason: 'REQUIRED',
        description: '',
      }),
      'no or a wrong issuer credential': new Unauthenticated(''),
      'the store cannot answer': new StoreUnavailable(''),
      'more calls come than can be served': OVERLOADED,
      'anything unforeseen': new Error(''),
    };
    const found = Object.entries(causes).map(([cause, error]) => {
      const { code, metadata } = error === OVERLOADED ? OVERLOADED : statusOf(error);
      const [packed] = metadata?.get('grpc-status-details-bin') ?? [];
      const [detail] = packed instanceof Buffer ? Status.decode(packed).details : [];
      return [cause, status[code ?? status.OK], detail?.typeUrl.replace(/^.*\./, '') ?? 'none'];
    });
    const [validated, ...documented] = tableBelow(readme(), '## What gRPC answers').map(
      ([cause, code, detail = '']) => [cause, codeOf(code), detail.startsWith('none') ? 'none' : codeOf(detail)],
    );
    expect(validated).to.deep.equal(['a bad token, to ValidateToken', 'OK', 'none']);
    expect(documented).to.deep.equal(found);
  });

  it('has every RPC', () => {
    const paths = [AuthServiceService, IssuerServiceService].flatMap((service) =>
      Object.values(service).map(({ path }) => path.replace('/auth.v1.', '')),
    );
    expect(tableBelow(readme(), '## The RPCs').map(([name]) => codeOf(name))).to.deep.equal(paths);
  });

  it('names only paths that the gateway has, and all of them', () => {
    const paths = new Set(
      [...readme().matchAll(/(?:POST |GET |:8080)(\/[a-z./-]+)/g)].map(([, path = '']) => pathOf(path)),
    );
    expect([...paths].sort()).to.deep.equal(
      [...createRoutes({} as AuthClient, readPaths(new Environment({}))).keys()].sort(),
    );
  });

  describe('commands', () => {
    it('of npm are scripts of the package', () => {
      const inline = [...readme().matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code);
      const lines = [...codeLines(readme(), 'sh'), ...inline];
      const { scripts } = JSON.parse(readText('package.json')) as { scripts: Record<string, string> };
      const runs = lines.join('\n').matchAll(/npm (?:run (?:--silent )?([\w:-]+)|(start|test))/g);
      const names = new Set([...runs].map(([, script, short]) => script ?? short ?? ''));
      expect([...names]).to.include.members(['start', 'test', 'latchkey', 'build', 'check']);
      expect([...names].filter((name) => scripts[name] === undefined)).to.deep.equal([]);
    });

    it('of npm leave no shell between npm and a program that runs on: a signal would end the shell alone', () => {
      const { scripts } = JSON.parse(readText('package.json')) as { scripts: Record<string, string> };
      const last = Object.values(scripts).map((script) => script.split(' && ').at(-1) ?? '');
      expect(last.filter((command) => /^(?:node|mocha) /.test(command))).to.deep.equal([]);
      expect(last.filter((command) => command.startsWith('exec node '))).to.have.length.above(5);
    });

    it('of latchkey are in its help, and all of those are here', () => {
      const command = /(?:latchkey|node dist\/src\/main\.js) +((?:(?:token|keys|store) )?[a-z]+|--[a-z]+)/g;
      const of = (text: string) => new Set([...text.matchAll(command)].map(([, name]) => name));
      const known = of(HELP.slice(HELP.indexOf('Usage')));
      known.add('--version');
      expect([...of(codeLines(readme(), 'sh').join('\n'))].sort()).to.deep.equal([...known].sort());
    });
  });
});
