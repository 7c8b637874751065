// The command line: parses the arguments and runs a command.

// A namespace import: with a named import, an old Node would report the missing function instead of its version.
import * as util from 'node:util';
import { version } from '../platform/version.js';
import type { CommandIo } from './command-io.js';
import { helpFor, isCommand, UsageError, unknownCommand } from './usage.js';

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

/**
 * Runs a command. One that runs until it is stopped goes on after that.
 * @throws UsageError for wrong arguments; or the command's own error
 */
export async function run(args: readonly string[], io: CommandIo): Promise<void> {
  const { values, positionals } = parse(args);
  const [command = '', action = '', ...rest] = positionals;
  if (values.help || command === 'help') {
    return void io.printResult(helpFor(command === 'help' ? positionals.slice(1) : []));
  }
  if (values.version) return void io.printResult(`${version()}\n`);
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
      return (await import('./dev.js')).dev(io.env);
    case 'serve':
      return (await import('./serve.js')).serve(io.env);
    case 'worker':
      return (await import('./worker.js')).worker(io.env);
    case 'gateway':
      return (await import('./gateway.js')).gateway(io.env);
    case 'store check':
      return (await import('./store.js')).storeCheck(io);
    case 'token issue':
      if (!values.subject) throw new UsageError('token issue needs --subject NAME');
      return (await import('./token.js')).tokenIssue(io, values.subject, values.claims ?? '{}');
    case 'token inspect':
      if (!argument) throw new UsageError('token inspect needs a token, or - for standard input');
      return (await import('./token.js')).tokenInspect(io, argument);
    case 'keys list':
      return (await import('./keys.js')).keysList(io);
    case 'keys generate':
      return (await import('./keys.js')).keysGenerate(io, values.algorithm);
    case 'keys rotate':
      return (await import('./keys.js')).keysRotate(io, values.algorithm);
    case 'keys retire':
      if (!argument) throw new UsageError('keys retire needs a KID; `latchkey keys list` shows them');
      return (await import('./keys.js')).keysRetire(io, argument, values.compromised ?? false);
    case 'oauth client':
      if (!argument) throw new UsageError('oauth client needs the ID of the client, and its secret on standard input');
      return (await import('./oauth.js')).oauthClient(io, argument, values.rights ?? 'introspect');
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
