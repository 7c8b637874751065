// The help of the command line, and the error for unknown commands.

import { closest } from '../platform/env/edit-distance.js';

/** The command line is invalid. The message names the error. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

interface Command {
  /** The words of the command. */
  readonly name: string;
  /** Its arguments and options. */
  readonly takes?: string;
  readonly does: string;
}

const COMMANDS: readonly Command[] = [
  {
    name: 'dev',
    does: 'service and gateway in one process, on the embedded store; creates missing keys',
  },
  { name: 'serve', does: 'the gRPC service (REDIS_URL or DATA_DIR, JWT_KEYS_DIR or JWT_SECRET must be set)' },
  { name: 'gateway', does: 'the HTTP gateway in front of AUTH_SERVICE_ADDRESS' },
  {
    name: 'store check',
    does: 'what is unsafe about the store in REDIS_URL or DATA_DIR, and how to fix it; changes nothing',
  },
  {
    name: 'token issue',
    takes: '--subject NAME [--claims JSON]',
    does: "a fresh pair from the running service, with ISSUER_TOKEN or dev's own credential",
  },
  {
    name: 'token inspect',
    takes: 'TOKEN',
    does: 'the content of a token, and whether the running service accepts it; - reads standard input',
  },
  {
    name: 'keys list',
    does: "the keys in JWT_KEYS_DIR (or dev's own): which signs, which verify, which may be retired",
  },
  { name: 'keys generate', takes: '[--algorithm ES256|RS256]', does: 'the first key of an empty folder' },
  {
    name: 'keys rotate',
    takes: '[--algorithm ES256|RS256]',
    does: 'a new key: it verifies at once, and signs after JWT_KEY_DELAY',
  },
  {
    name: 'keys retire',
    takes: 'KID [--compromised]',
    does: 'removes a key when no token signed by it can be valid; a compromised one at once',
  },
  {
    name: 'oauth client',
    takes: 'ID [--rights LIST]',
    does: "a client's entry for the file in OAUTH_CLIENTS; reads the client's secret from standard input",
  },
  { name: 'help', takes: '[COMMAND]', does: 'this help, or that of one command' },
];

/** The column in which the descriptions begin. */
const WIDTH = 28;
const NAMES = COMMANDS.map(({ name }) => name);
/** The first words of commands of two words. */
const GROUPS = ['store', 'token', 'keys', 'oauth'];

/** A command and its description, on one line, or on two if the command is long. */
function lineOf({ name, takes, does }: Command): string {
  const words = ['  latchkey', name, ...(takes === undefined ? [] : [takes])].join(' ');
  return words.length < WIDTH ? `${words.padEnd(WIDTH)}${does}` : `${words}\n${' '.repeat(WIDTH)}${does}`;
}

const TITLE = 'latchkey: a token service. Refreshes, ends and validates JWT sessions over gRPC and REST.';
const SETTINGS = 'Settings are environment variables; docs/configuration.md lists them all.';
const helpOf = (lines: readonly string[]): string => `Usage\n${lines.join('\n')}\n\n${SETTINGS}\n`;

export const HELP = `${TITLE}\n\n${helpOf([...COMMANDS.map(lineOf), '  latchkey --help | --version'])}`;

/** Whether a name is that of a command. */
export const isCommand = (name: string): boolean => NAMES.includes(name);

/** The help of the commands that begin with some words; without words, of all. @throws UsageError */
export function helpFor(words: readonly string[]): string {
  const asked = words.join(' ');
  if (asked === '') return HELP;
  const found = COMMANDS.filter(({ name }) => name === asked || name.startsWith(`${asked} `));
  if (found.length === 0) throw unknownCommand(words);
  return helpOf(found.map(lineOf));
}

/** @param words the command line without its options */
export function unknownCommand(words: readonly string[]): UsageError {
  const [first = '', second] = words;
  if (first === '') return new UsageError('no command was given');
  const group = NAMES.filter((name) => name.startsWith(`${first} `));
  if (group.length > 0 && second === undefined) {
    return new UsageError(`${first} alone is not a command; there are: ${group.join(', ')}`);
  }
  // A word may be misspelt, or the first of two words may be missing.
  const both = [first, second].filter((word) => word !== undefined).join(' ');
  const ofTwo = closest(both, NAMES, 2);
  const meant = ofTwo ?? closest(first, [...NAMES, ...GROUPS], 2) ?? NAMES.find((name) => name.endsWith(` ${first}`));
  const given = group.length > 0 || ofTwo !== undefined ? both : first;
  return new UsageError(`there is no command ${given}${meant === undefined ? '' : `; did you mean ${meant}?`}`);
}
