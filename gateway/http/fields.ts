// Owns the rules for a request's fields: those of djangorestframework's CharField and, stricter, of a boolean.

import type { Fields } from './body.js';
import { badFields, Refusal } from './responses.js';

/** What Python's `str.strip` takes away; JavaScript's `trim` takes U+FEFF too and leaves U+001C to U+001F. */
const BLANKS = new Set(
  '\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000',
);

/** Reads fields one by one, gathers what is wrong with them, and tells it all at once. */
export class FieldReader {
  readonly #fields: Fields;
  readonly #faults: Record<string, readonly string[]> = {};

  constructor(fields: Fields) {
    this.#fields = fields;
  }

  /** A text without its outer blanks; a JSON number is taken as text. Undefined where it is missing or wrong. */
  text(name: string, options: { readonly required: boolean }): string | undefined {
    if (!this.#fields.values.has(name)) {
      return options.required ? this.#fault(name, 'This field is required.') : undefined;
    }
    const given = this.#fields.values.get(name);
    if (given === null) return this.#fault(name, 'This field may not be null.');
    if (typeof given !== 'string' && typeof given !== 'number') return this.#fault(name, 'Not a valid string.');
    const text = strip(String(given));
    if (text === '') return this.#fault(name, 'This field may not be blank.');
    const faults = characterFaults(text);
    return faults.length > 0 ? this.#fault(name, ...faults) : text;
  }

  /** A boolean; false where it is missing or wrong. A form has only texts: exactly `true` or `false`. */
  flag(name: string): boolean {
    if (!this.#fields.values.has(name)) return false;
    const given = this.#fields.values.get(name);
    if (given === true || (this.#fields.form && given === 'true')) return true;
    if (given !== false && !(this.#fields.form && given === 'false')) this.#fault(name, 'Must be a valid boolean.');
    return false;
  }

  /** @throws Refusal 400 with all faults found so far */
  check(): void {
    if (Object.keys(this.#faults).length > 0) throw new Refusal(badFields(this.#faults));
  }

  #fault(name: string, ...texts: readonly string[]): undefined {
    this.#faults[name] = texts;
  }
}

// No regular expression: on blanks within a text one that is bound to its end takes quadratic time.
function strip(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && BLANKS.has(text.charAt(start))) start++;
  while (end > start && BLANKS.has(text.charAt(end - 1))) end--;
  return text.slice(start, end);
}

function characterFaults(text: string): readonly string[] {
  const surrogate = /\p{Surrogate}/u.exec(text)?.[0].charCodeAt(0).toString(16).toUpperCase();
  return [
    ...(text.includes('\0') ? ['Null characters are not allowed.'] : []),
    ...(surrogate === undefined ? [] : [`Surrogate characters are not allowed: U+${surrogate}.`]),
  ];
}
