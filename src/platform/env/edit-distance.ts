// The edit distance between two words, for suggestions of similar names. Imports nothing.

const NEVER = Number.POSITIVE_INFINITY;

/**
 * The least number of insertions, deletions, substitutions and exchanges of neighbours that turn one word into the
 * other (Damerau–Levenshtein, as optimal string alignment). If that is more than `most`, the result is Infinity.
 *
 * Most words differ at once, and a start compares each environment variable with each setting. So it looks only at
 * places that `most` changes can reach, and stops at the first row whose least number is above `most`.
 */
export function editDistance(a: string, b: string, most = NEVER): number {
  let [beforeLast, last]: number[][] = [[], Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    let least = i;
    for (let j = Math.max(1, i - most); j <= Math.min(b.length, i + most); j++) {
      const same = a[i - 1] === b[j - 1];
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const changes = Math.min(
        (last?.[j] ?? NEVER) + 1,
        (row[j - 1] ?? NEVER) + 1,
        (last?.[j - 1] ?? NEVER) + (same ? 0 : 1),
        swapped ? (beforeLast?.[j - 2] ?? NEVER) + 1 : NEVER,
      );
      row[j] = changes;
      least = Math.min(least, changes);
    }
    // No later row has less: only an exchange skips a row, and it adds one to a row whose least is `most` or more.
    if (least > most) return NEVER;
    [beforeLast, last] = [last, row];
  }
  const distance = last?.[b.length] ?? NEVER;
  return distance <= most ? distance : NEVER;
}

/** The word with the least distance, if that is at most `most`; the first of several. */
export function closest(word: string, words: Iterable<string>, most: number): string | undefined {
  let best: { readonly word: string; readonly distance: number } | undefined;
  for (const each of words) {
    if (Math.abs(each.length - word.length) > most) continue;
    const distance = editDistance(word, each, most);
    if (distance < (best?.distance ?? NEVER)) best = { word: each, distance };
  }
  return best?.word;
}
