// A line of the log for a person at a terminal: its time, level and message first, then its other fields.

export interface LineStyle {
  /** Whether the level has a colour, by ANSI escape sequences. */
  readonly hasColours: boolean;
}

const COLOURS: Readonly<Record<string, number>> = { trace: 90, debug: 90, info: 32, warn: 33, error: 31 };
/** Fields that are not repeated: the same in every line of a process, or shown at the beginning of the line. */
const LEFT_OUT: ReadonlySet<string> = new Set(['level', 'time', 'pid', 'hostname', 'name', 'msg']);
/** Texts that can be read without quotes. */
const PLAIN = /^[\p{L}\p{N}_.:/+@~-]+$/u;
/** Characters that a terminal may take for a command, or that change the order of what is shown. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** @param line of JSON, with its line feed. @returns it as text; unchanged if it is no JSON */
export function prettyLine(line: string, { hasColours }: LineStyle): string {
  let fields: Record<string, unknown>;
  try {
    fields = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return line;
  }
  const { level, time, msg } = fields;
  const label = String(level).toUpperCase().padEnd(5);
  const shown = hasColours ? `\u001b[${COLOURS[String(level)] ?? 0}m${label}\u001b[0m` : label;
  const { err, ...others } = fields;
  const rest = Object.entries(others).flatMap(([name, value]) => (LEFT_OUT.has(name) ? [] : shownField(name, value)));
  const head = [timeOf(time), shown, escaped(String(msg)), ...rest].join(' ');
  return `${head}\n${err === undefined ? '' : shownError(err, '  ')}`;
}

/** The time of day, by the clock of this machine. */
function timeOf(time: unknown): string {
  const date = new Date(String(time));
  return Number.isNaN(date.getTime()) ? '' : date.toTimeString().slice(0, 8);
}

/** An object's members become fields of their own, one level deep: audit events are not nested deeper. */
function shownField(name: string, value: unknown): string[] {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return Object.entries(value).map(([member, inner]) => `${escaped(member)}=${shownValue(inner)}`);
  }
  return [`${escaped(name)}=${shownValue(value)}`];
}

function shownValue(value: unknown): string {
  if (typeof value === 'string' && PLAIN.test(value)) return value;
  return escaped(JSON.stringify(value) ?? '');
}

function shownError(error: unknown, indent: string): string {
  if (typeof error !== 'object' || error === null) return `${indent}${shownValue(error)}\n`;
  const { type, message, stack, cause } = error as Record<string, unknown>;
  const text = typeof stack === 'string' ? stack : `${type}: ${message}`;
  const lines = text.split('\n').map((each) => `${indent}${escaped(each.trim())}\n`);
  return lines.join('') + (cause === undefined ? '' : `${indent}caused by:\n${shownError(cause, `${indent}  `)}`);
}

const escaped = (text: string): string =>
  text.replace(UNSAFE, (character) => `\\u${character.codePointAt(0)?.toString(16).padStart(4, '0')}`);
