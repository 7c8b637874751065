// Tests that the documents say what the code does: settings, problems, statuses, events, commands, paths.

import { status } from '@grpc/grpc-js';
import { expect } from 'chai';
import { readGatewaySettings } from '../../gateway/config.js';
import { pathOf } from '../../gateway/routes/table.js';
import { AuthServiceService } from '../../proto/gen/auth/v1/auth_service.js';
import { IssuerServiceService } from '../../proto/gen/auth/v1/issuer_service.js';
import { TokenProblem } from '../../proto/gen/auth/v1/token.js';
import { Status } from '../../proto/gen/google/rpc/status.js';
import { HELP } from '../../src/commands/usage.js';
import { InvalidInput, StoreUnavailable } from '../../src/core/errors.js';
import type { AuditEvent } from '../../src/core/events/audit.js';
import { refusal } from '../../src/core/token/errors.js';
import { OVERLOADED, statusOf, Unauthenticated } from '../../src/grpc/status.js';
import { Environment } from '../../src/platform/env.js';
import { readMonitoring } from '../../src/settings/monitoring.js';
import { readServiceSettings } from '../../src/settings/service.js';
import { REDIS_FAULTS } from '../faults/redis-faults.js';
import { START_FAULTS } from '../faults/start-faults.js';
import { allRoutes } from '../gateway/all-routes.js';
import { sourceFiles } from './imports.js';
import { codeLines, codeOf, DOCUMENTS, readText, tableBelow, tablesBelow } from './markdown.js';

const page = (name: string): string => readText(`docs/${name}.md`);

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

/** The beginning of a command, or of a line in a configuration file. */
const COMMAND = /^(?:cp|docker|keys|latchkey|maxmemory-policy|npm|npx|redis-cli|systemctl|tls-auth-clients) /;

function asked(variables: Record<string, string>, ...readers: ((env: Environment) => unknown)[]) {
  const env = new Environment(variables);
  for (const read of readers) read(env);
  return env.asked;
}
const readService = (env: Environment) => readServiceSettings(env, 'serve', Date.now());

describe('the documents', () => {
  describe('tables of settings', () => {
    const rows = (of: string) => tablesBelow(page('configuration'), `## Settings of ${of}`);
    const documented = (of: string) =>
      [...rows(of), ...rows('both')]
        .map(([name, value = '']) => [codeOf(name), value.startsWith('none') ? undefined : codeOf(value)])
        .sort();

    it('have the variables of the service and their defaults, and no other', () => {
      expect(documented('the service')).to.deep.equal([...asked({}, readService, readMonitoring)].sort());
    });

    it('have the variables of the gateway and their defaults, and no other', () => {
      expect(documented('the gateway')).to.deep.equal([...asked({}, readGatewaySettings, readMonitoring)].sort());
    });

    it('say the unit and the meaning of each of them', () => {
      const all = ['the service', 'the gateway', 'both'].flatMap(rows);
      for (const [name, , unit = '', meaning = ''] of all) {
        expect([unit !== '', meaning.length > 8], name).to.deep.equal([true, true]);
      }
    });

    it('have the other default of SUBJECT_CLAIM when adopting', () => {
      const adopting = asked({ ADOPT_TOKENS: 'simplejwt' }, readService).get('SUBJECT_CLAIM');
      const row = rows('the service').find(([name]) => name === '`SUBJECT_CLAIM`');
      expect(row?.[1]).to.contain(`\`${adopting}\` when adopting`);
    });
  });

  it('have every problem of a token, in the order of the contract', () => {
    const names = Object.keys(TokenProblem).map((name) => name.replace(/^TOKEN_PROBLEM_/, ''));
    const documented = tableBelow(page('grpc-api'), '### Problems of a token').map(([name]) => codeOf(name));
    expect(documented).to.deep.equal(names.filter((name) => name !== 'UNSPECIFIED'));
  });

  it('have every audit event', () => {
    const documented = tableBelow(page('monitoring'), '## Audit events').map(([name]) => codeOf(name));
    expect(documented).to.deep.equal(Object.keys(EVENTS));
  });

  it('have the gRPC status and detail of every cause', () => {
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
    const [validated, ...documented] = tableBelow(page('grpc-api'), '## What gRPC answers').map(
      ([cause, code, detail = '']) => [cause, codeOf(code), detail.startsWith('none') ? 'none' : codeOf(detail)],
    );
    expect(validated).to.deep.equal(['a bad token, to ValidateToken and IntrospectToken', 'OK', 'none']);
    expect(documented).to.deep.equal(found);
  });

  it('name only log messages that the code writes', () => {
    const code = [...sourceFiles('src'), ...sourceFiles('gateway')].map(readText).join('\n');
    for (const name of ['monitoring', 'keys', 'deployment', 'alerts']) {
      const sentences = [...page(name).matchAll(/`([a-z]+(?:[ ,:'-]+[a-zA-Z]+){2,})`/g)].map(([, text = '']) => text);
      const messages = sentences.filter((text) => !COMMAND.test(text));
      // One message has the command's name in it.
      const written = messages.map((text) => text.replace(/^(?:serve|dev|gateway)(?= cannot start$)/, '$${command}'));
      expect(written.filter((text) => !code.includes(text))).to.deep.equal([], name);
    }
  });

  it('have every RPC', () => {
    const paths = [AuthServiceService, IssuerServiceService].flatMap((service) =>
      Object.values(service).map(({ path }) => path.replace('/auth.v1.', '')),
    );
    expect(tableBelow(page('grpc-api'), '## The RPCs').map(([name]) => codeOf(name))).to.deep.equal(paths);
  });

  it('name only paths that the gateway has, and all of them', () => {
    const pathsIn = (text: string) =>
      [...text.matchAll(/(?:POST |GET |:8080|^post )(\/[a-z\d./-]+)/gm)].map(([, path = '']) => pathOf(path));
    const served = [...allRoutes().keys()].sort();
    expect([...new Set(pathsIn(page('rest-api')))].sort()).to.deep.equal(served);
    expect(pathsIn(readText('README.md')).filter((path) => !served.includes(path))).to.deep.equal([]);
  });

  describe('commands', () => {
    it('of npm are scripts of the package', () => {
      const texts = DOCUMENTS.map(readText);
      const inline = texts.flatMap((text) => [...text.matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code));
      const lines = [...texts.flatMap((text) => codeLines(text, 'sh')), ...inline];
      const { scripts } = JSON.parse(readText('package.json')) as { scripts: Record<string, string> };
      const runs = lines.join('\n').matchAll(/npm (?:run (?:--silent )?([\w:-]+)|(start|test)\b)/g);
      const names = new Set([...runs].map(([, script, short]) => script ?? short ?? ''));
      expect([...names].sort()).to.deep.equal(
        Object.keys(scripts)
          .filter((name) => !['prepack', 'prepublishOnly'].includes(name))
          .sort(),
      );
    });

    it('of npm leave no shell between npm and a program that runs on: a signal would end the shell alone', () => {
      const { scripts } = JSON.parse(readText('package.json')) as { scripts: Record<string, string> };
      const last = Object.values(scripts).map((script) => script.split(' && ').at(-1) ?? '');
      expect(last.filter((command) => /^(?:node|mocha) /.test(command))).to.deep.equal([]);
      expect(last.filter((command) => command.startsWith('exec node '))).to.have.length.above(5);
    });

    it('of latchkey are in its help, and all of those are on the page of the command line', () => {
      const command = /(?:latchkey|node dist\/src\/main\.js) +((?:(?:token|keys|store|oauth) )?[a-z]+|--[a-z]+)/g;
      const of = (text: string) => new Set([...text.matchAll(command)].map(([, name]) => name));
      const known = of(HELP.slice(HELP.indexOf('Usage')));
      known.add('--version');
      expect([...of(codeLines(page('command-line'), 'sh').join('\n'))].sort()).to.deep.equal([...known].sort());
    });
  });

  it('docs/failures.md has measured each fault that `npm run faults` causes, and no other', () => {
    const measured = tableBelow(page('failures'), '## Measured').map(([name]) => name);
    const names = [...REDIS_FAULTS, ...START_FAULTS].map(({ name }) => name);
    expect(measured).to.deep.equal([...names, '`maxmemory-policy allkeys-lru` from the start']);
  });
});
