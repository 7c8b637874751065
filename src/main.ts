#!/usr/bin/env node
// The entry of the command line: parses the arguments and runs a command.

// biome-ignore-all assist/source/organizeImports: the check of Node's version comes before all else
import './commands/node-version.js';
// A namespace import: with a named import, an old Node would report the missing function instead of its version.
import * as util from 'node:util';
import { endFailed, isLongRunning } from './commands/failure.js';
import { printResult } from './commands/print.js';
import { helpFor, isCommand, UsageError, unknownCommand } from './commands/usage.js';
import { version } from './platform/version.js';
import { takeOverOutput } from './platform/output/foreign-output.js';
import { silenceNativeOutput } from './platform/output/standard-error.js';

/** The commands that accept each option. */
const OPTIONS_OF: readonly (readonly [
  'subject' | 'claims' | 'algorithm' | 'compromised' | 'rights',
  readonly string[],
])[] = [
  ['subject', ['token issue']],
  ['claims', ['token issue']],
  ['algorithm', ['keys generate', 'keys rotate']],
  ['compromised', ['keys retire']],
  ['rights', ['oauth client']],
];

/** The commands that take one argument. */
const WITH_ARGUMENT: readonly string[] = ['token inspect', 'keys retire', 'oauth client'];

async function main(args: readonly string[]): Promise<void> {
  const { values, positionals } = parse(args);
  const [command = '', action = '', ...rest] = positionals;
  if (values.help || command === 'help') {
    return void printResult(helpFor(command === 'help' ? positionals.slice(1) : []));
  }
  if (values.version) return void printResult(`${version()}\n`);
  const grouped = ['token', 'keys', 'store', 'oauth'].includes(command);
  const name = grouped ? `${command} ${action}` : command;
  // Only `serve` starts a `worker`.
  if (name !== 'worker' && !isCommand(name)) throw unknownCommand(positionals);
  const extra = grouped ? rest : positionals.slice(1);
  const [argument, ...tooMany] = WITH_ARGUMENT.includes(name) ? extra : [undefined, ...extra];
  // It is not shown: it may be a secret in the wrong place.
  if (tooMany.length > 0) throw new UsageError(`${name} takes no ${argument === undefined ? '' : 'further '}argument`);
  for (const [option, commands] of OPTIONS_OF) {
    if (values[option] === undefined || commands.includes(name)) continue;
    throw new UsageError(`--${option} is only for ${commands.join(' and ')}`);
  }
  // Each command loads only its own modules: a gateway needs no store.
  switch (name) {
    case 'dev':
      return (await import('./commands/dev.js')).dev(process.env);
    case 'serve':
      return (await import('./commands/serve.js')).serve(process.env);
    case 'worker':
      return (await import('./commands/worker.js')).worker(process.env);
    case 'gateway':
      return (await import('./commands/gateway.js')).gateway(process.env);
    case 'store check':
      return (await import('./commands/store.js')).storeCheck(process.env);
    case 'token issue':
      if (!values.subject) throw new UsageError('token issue needs --subject NAME');
      return (await import('./commands/token.js')).tokenIssue(process.env, values.subject, values.claims ?? '{}');
    case 'token inspect':
      if (!argument) throw new UsageError('token inspect needs a token, or - for standard input');
      return (await import('./commands/token.js')).tokenInspect(process.env, argument);
    case 'keys list':
      return (await import('./commands/keys.js')).keysList(process.env);
    case 'keys generate':
      return (await import('./commands/keys.js')).keysGenerate(process.env, values.algorithm);
    case 'keys rotate':
      return (await import('./commands/keys.js')).keysRotate(process.env, values.algorithm);
    case 'keys retire':
      if (!argument) throw new UsageError('keys retire needs a KID; `latchkey keys list` shows them');
      return (await import('./commands/keys.js')).keysRetire(process.env, argument, values.compromised ?? false);
    case 'oauth client':
      if (!argument) throw new UsageError('oauth client needs the ID of the client, and its secret on standard input');
      return (await import('./commands/oauth.js')).oauthClient(argument, values.rights ?? 'introspect');
    default:
      throw unknownCommand(positionals);
  }
}

function parse(args: readonly string[]) {
  try {
    return util.parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        version: { type: 'boolean', default: false },
        subject: { type: 'string' },
        claims: { type: 'string' },
        algorithm: { type: 'string' },
        compromised: { type: 'boolean' },
        rights: { type: 'string' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

const [, , command, ...further] = process.argv;
takeOverOutput(process.env);
if (isLongRunning(command)) silenceNativeOutput();
main(command === undefined ? [] : [command, ...further]).catch((error: unknown) => endFailed(error, command));
