// The check of Node's version, which runs when this module is loaded.
// The command line loads it first, so that an old Node reports its version and not a missing function. It uses only
// features that an old Node has.

import { readFileSync } from 'node:fs';

/** The error for a version such as `18.20.4`; undefined if it satisfies `engines` of package.json. */
export function nodeVersionFault(version: string, engines: string): string | undefined {
  const [least, found] = [engines, version].map((text) =>
    (/(\d+)\.(\d+)\.(\d+)/.exec(text) || []).slice(1).map(Number),
  );
  for (let part = 0; part < 3; part++) {
    const [a, b] = [(found || [])[part] || 0, (least || [])[part] || 0];
    if (a > b) return undefined;
    if (a < b) return `this is Node ${version}, and Latchkey needs Node ${engines.replace('>=', '')} or later`;
  }
  return undefined;
}

const manifest = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  engines: { node: string };
};
const fault = nodeVersionFault(process.versions.node, manifest.engines.node);
if (fault !== undefined) {
  process.stderr.write(`latchkey: ${fault}\n`);
  process.exit(1);
}
