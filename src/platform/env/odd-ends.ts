// Invisible characters and quotes at the ends of a text, usually added by mistake. Imports nothing.

/** The first pattern that matches names the character. Patterns beyond ASCII use Unicode categories. */
const KINDS: readonly (readonly [character: string, name: string])[] = [
  [String.raw`\n`, 'a line feed'],
  [String.raw`\r`, 'a carriage return'],
  [String.raw`\t`, 'a tab'],
  [' ', 'a blank'],
  [String.raw`\u{FEFF}`, 'a byte order mark'],
  [String.raw`[\u{A0}\u{2007}\u{202F}]`, 'a non-breaking space'],
  [String.raw`\p{Cf}`, 'a zero-width character'],
  [String.raw`[\p{Zs}\p{Zl}\p{Zp}\u{85}]`, 'a white space beyond ASCII'],
  [String.raw`\p{Cc}`, 'a control character'],
];
const AT_START = KINDS.map(([character, name]) => [new RegExp(`^${character}`, 'u'), name] as const);
const AT_END = KINDS.map(([character, name]) => [new RegExp(`${character}$`, 'u'), name] as const);
const QUOTES = /^(?:".*"|'.*'|`.*`|“.*”|‘.*’|«.*»)$/s;

/** A description such as `a line feed at its end`; undefined if the ends are normal. */
export function oddEnds(text: string): string | undefined {
  const [start] = AT_START.flatMap(([pattern, name]) => (pattern.test(text) ? [`${name} at its start`] : []));
  const [end] = AT_END.flatMap(([pattern, name]) => (pattern.test(text) ? [`${name} at its end`] : []));
  const odd = [start, end].filter((each) => each !== undefined);
  if (odd.length > 0) return odd.join(' and ');
  return QUOTES.test(text) ? 'quotes around it' : undefined;
}
