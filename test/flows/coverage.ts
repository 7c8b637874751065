// What V8's precise coverage says of a call: the files and functions of the project that it entered.

/** As much of V8's report on a file as is read. */
export interface ScriptCoverage {
  readonly url: string;
  readonly functions: readonly {
    readonly functionName: string;
    /** The first range is the whole function. */
    readonly ranges: readonly { readonly startOffset: number; readonly count: number }[];
  }[];
}

/** The functions that were called: the file of each one by its path below `dist`, its position and its name. */
export function calledIn(scripts: readonly ScriptCoverage[]): ReadonlyMap<string, string> {
  const called = new Map<string, string>();
  for (const { url, functions } of scripts) {
    const file = url.slice(url.lastIndexOf('/dist/') + '/dist/'.length);
    for (const { functionName, ranges } of functions) {
      const [whole] = ranges;
      if (whole && whole.count > 0) called.set(`${file}:${whole.startOffset} ${functionName}`, file);
    }
  }
  return called;
}

/** The folders whose files are counted apart. */
const FOLDERS = ['gateway', 'src/grpc', 'src/core', 'src/adapters'] as const;

export const COLUMNS = ['Call', 'Functions', 'Files', ...FOLDERS, 'elsewhere'] as const;

/** A row of the table: how many functions a call enters, in how many files, and how many of these are in each folder. */
export function rowOf(name: string, called: ReadonlyMap<string, string>): readonly (string | number)[] {
  const files = [...new Set(called.values())];
  const counts = FOLDERS.map((folder) => files.filter((file) => file.startsWith(`${folder}/`)).length);
  const elsewhere = files.length - counts.reduce((sum, count) => sum + count, 0);
  return [name, called.size, files.length, ...counts, elsewhere];
}

/** What was called in each of several runs: a timer of the process that fires now and then is no part of a call. */
export const commonTo = (runs: readonly ReadonlyMap<string, string>[]): ReadonlyMap<string, string> =>
  new Map([...(runs[0] ?? [])].filter(([name]) => runs.every((run) => run.has(name))));
