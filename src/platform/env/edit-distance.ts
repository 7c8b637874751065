// The edit distance between two words, for suggestions of similar names. Imports nothing.

/**
 * The least number of insertions, deletions, substitutions and exchanges of neighbours that turn one word into the
 * other (Damerau–Levenshtein, as optimal string alignment).
 */
export function editDistance(a: string, b: string): number {
  let [beforeLast, last]: number[][] = [[], Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row.push(
        Math.min(
          (last?.[j] ?? 0) + 1,
          (row[j - 1] ?? 0) + 1,
          (last?.[j - 1] ?? 0) + (same ? 0 : 1),
          i > 1 && j > 1 && swapped ? (beforeLast?.[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
    [beforeLast, last] = [last, row];
  }
  return last?.[b.length] ?? 0;
}

/** The word with the least distance, if that is at most `most`; the first of several. */
export function closest(word: string, words: Iterable<string>, most: number): string | undefined {
  let best: { readonly word: string; readonly distance: number } | undefined;
  for (const each of words) {
    if (Math.abs(each.length - word.length) > most) continue;
    const distance = editDistance(word, each);
    if (distance <= most && distance < (best?.distance ?? Number.POSITIVE_INFINITY)) best = { word: each, distance };
  }
  return best?.word;
}
