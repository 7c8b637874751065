// Names that occur twice in an object of a JSON text.
// JSON.parse keeps the last of two such members, and others read the first (RFC 8259, section 4): the two readers would
// see different values.

/** Each string of a valid JSON text; with the colon after it, it is a name. */
const STRING = /"(?:[^"\\]+|\\.)*"(\s*:)?/g;

/** @param value what JSON.parse makes of the text */
export const hasNameTwice = (text: string, value: unknown): boolean => namesIn(text) > membersIn(value);

function namesIn(text: string): number {
  let count = 0;
  for (const [, colon] of text.matchAll(STRING)) if (colon !== undefined) count++;
  return count;
}

/** How many members all objects have together. Without recursion: a text can be nested as deep as it is long. */
function membersIn(value: unknown): number {
  const open: unknown[] = [value];
  let count = 0;
  while (open.length > 0) {
    const each = open.pop();
    if (typeof each !== 'object' || each === null) continue;
    const inner = Object.values(each);
    if (!Array.isArray(each)) count += inner.length;
    for (const one of inner) open.push(one);
  }
  return count;
}
