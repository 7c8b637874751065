// The parser of `token issue --claims`: JSON, with an error for everything that would change on its way into the token.
// JSON.parse silently keeps the last of two equal names, and silently rounds numbers.

import { type ClaimPath, formatPath, isExact, PROTO_NAME } from '../core/token/claim-values.js';
import { UsageError } from './usage.js';

const TOKEN = /"(?:[^"\\]+|\\.)*"|-?\d[\d.eE+-]*|[{}[\],]|true|false|null/g;

/** An object or a list under way, with the names in it so far. */
interface Open {
  readonly names: Set<string> | undefined;
  /** The name or the index of the next value. */
  step: string | number;
}

/**
 * Parses claims.
 * @throws UsageError if the text is not a JSON object; or for a duplicate name, `__proto__`, a number that a double
 * cannot represent, or half a surrogate pair, at any depth
 */
export function parseClaims(text: string): Record<string, unknown> {
  let claims: unknown;
  try {
    claims = JSON.parse(text);
  } catch {
    // The error below names what is wanted.
  }
  if (typeof claims !== 'object' || claims === null || Array.isArray(claims)) {
    throw new UsageError(
      `--claims: found ${claims === undefined ? 'no JSON' : 'another value'}, wanted a JSON object such as '{"role":"admin"}'`,
    );
  }
  checkTokens(text);
  return claims as Record<string, unknown>;
}

/** Checks the tokens of valid JSON. */
function checkTokens(text: string): void {
  const open: Open[] = [];
  let isName = false;
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    const last = open.at(-1);
    if (isName && last?.names && token.startsWith('"')) {
      last.step = JSON.parse(token) as string;
      const fault = faultOfName(last.step, last.names);
      if (fault) throwUsageError(fault, open, index);
      last.names.add(last.step);
      isName = false;
    } else if (token === '{' || token === '[') {
      open.push(token === '{' ? { names: new Set(), step: '' } : { names: undefined, step: 0 });
      isName = token === '{';
    } else if (token === '}' || token === ']') {
      open.pop();
      isName = false;
    } else if (token === ',') {
      if (typeof last?.step === 'number') last.step++;
      isName = last?.names !== undefined;
    } else {
      const fault = token.startsWith('"') ? faultOfText(JSON.parse(token) as string) : faultOfNumber(token);
      if (fault) throwUsageError(fault, open, index);
    }
  }
}

function faultOfName(name: string, names: ReadonlySet<string>): string | undefined {
  if (name === PROTO_NAME) return 'this name is reserved: leave it out or rename it';
  if (names.has(name)) return 'this name occurs twice: remove one';
  return faultOfText(name);
}

const faultOfText = (text: string): string | undefined =>
  text.isWellFormed() ? undefined : 'half a surrogate pair is not valid text: complete it or leave it out';

function faultOfNumber(token: string): string | undefined {
  if (!/\d$/.test(token)) return undefined;
  const value = Number(token);
  if (!isExact(value)) return 'this number is whole and beyond ±(2^53−1), or too large: send it as a string';
  if (digitsOf(token) === digitsOf(String(value))) return undefined;
  return `this number would become ${value}: write that, or send it as a string`;
}

/** The canonical form of a decimal number: its digits without zeros at either end, and the position of the point. */
function digitsOf(number: string): string {
  const sign = number.startsWith('-') ? '-' : '';
  const [mantissa = '', exponent = '0'] = number.slice(sign.length).split(/e/i);
  const [whole = '', fraction = ''] = mantissa.split('.');
  const digits = (whole + fraction).replace(/0+$/, '');
  const significant = digits.replace(/^0+/, '');
  if (significant === '') return '0';
  const point = BigInt(whole.length) + BigInt(exponent) - BigInt(digits.length - significant.length);
  return `${sign}${significant}e${point}`;
}

function throwUsageError(fault: string, open: readonly Open[], index: number): never {
  const path: ClaimPath = open.map(({ step }) => step);
  throw new UsageError(`--claims: ${formatPath(path)}, at character ${index + 1}: ${fault}`);
}
