// A client that the commands of a section have built.
// While nothing changes that it is made of, later runs do not build it, and run only the last command, which makes it
// call the service.

import { readdirSync, rmSync } from 'node:fs';
import { ROOT, readText } from '../docs/markdown.js';
import { KeptFolder } from '../support/kept-folder.js';
import type { Section } from './page.js';
import { CannotRun, Workplace } from './workplace.js';

/** What a client is made of, beside the contract. */
export interface Recipe {
  readonly language: string;
  readonly section: Section;
  /** The versions of all tools. */
  readonly versions: readonly string[];
  /** Beside the process's own environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Comes before the commands. */
  readonly preparation: string;
}

export interface BuiltClient {
  readonly place: Workplace;
  /** What the commands printed. */
  readonly output: string;
}

function contract(): string[] {
  const names = readdirSync(`${ROOT}proto`, { recursive: true, encoding: 'utf8' });
  return names
    .filter((name) => name.endsWith('.proto'))
    .sort()
    .flatMap((name) => [name, readText(`proto/${name}`)]);
}

/** The last command, which runs the client. */
function lastOf(script: string): string {
  const lines = script.trimEnd().split('\n');
  if (lines.at(-2)?.endsWith('\\')) throw new Error('the last command of a section must be one line');
  return lines.at(-1) ?? '';
}

/** @throws CannotRun without a network; Error, with all output, if the commands fail */
export async function clientOf({ language, section, versions, env, preparation }: Recipe): Promise<BuiltClient> {
  const { files, script } = section;
  const parts = [language, script, ...[...files].flat(), ...versions, process.version, process.arch, ...contract()];
  const kept = new KeptFolder('client', parts);
  if (kept.isKept) {
    const place = new Workplace(env, kept.path);
    try {
      return { place, output: await place.run(preparation + lastOf(script)) };
    } catch (error) {
      if (error instanceof CannotRun) throw error;
      // The client or the service may be broken. Running all commands again shows which.
      kept.forget();
    }
  }
  const fresh = kept.begin();
  try {
    const place = new Workplace(env, fresh);
    for (const [path, content] of files) place.write(path, content);
    const output = await place.run(preparation + script);
    kept.keep(fresh);
    return { place: new Workplace(env, kept.path), output };
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}
