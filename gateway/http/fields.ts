// Validation of request fields: djangorestframework's rules for text, and a stricter one for booleans.

import type { Fields } from './body.js';
import { badFields, HttpError } from './responses.js';

/** What Python's `str.strip` removes. JavaScript's `trim` also removes U+FEFF, and keeps U+001C to U+001F. */
const BLANKS = new Set(
  '\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000',
);

/** Reads fields one by one, collects their errors, and reports all of them at once. */
export class FieldReader {
  readonly #fields: Fields;
  readonly #faults: Record<string, readonly string[]> = {};

  constructor(fields: Fields) {
    this.#fields = fields;
  }

  /** A text without outer white space. A JSON number counts as its text. Undefined if missing or invalid. */
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

  /** A boolean; false if missing or invalid. In a form the text must be exactly `true` or `false`. */
  flag(name: string): boolean {
    if (!this.#fields.values.has(name)) return false;
    const given = this.#fields.values.get(name);
    if (given === true || (this.#fields.form && given === 'true')) return true;
    if (given !== false && !(this.#fields.form && given === 'false')) this.#fault(name, 'Must be a valid boolean.');
    return false;
  }

  /** @throws HttpError 400 with all errors found so far */
  check(): void {
    if (Object.keys(this.#faults).length > 0) throw new HttpError(badFields(this.#faults));
  }

  #fault(name: string, ...texts: readonly string[]): undefined {
    this.#faults[name] = texts;
  }
}

// No regular expression: one that is anchored at the end takes quadratic time on white space within the text.
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
