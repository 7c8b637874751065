// The compiler of proto files for the tools that need one.

import { join } from 'node:path';
import { runs, Workplace } from './workplace.js';

/** The protoc that Python's package brings, as a program. */
const PROGRAM = `#!/bin/sh
exec "$(dirname "$0")/../venv/bin/python" -m grpc_tools.protoc "$@"
`;

/** Adds that program to a workplace, in its folder `bin`. @param place where the environment `venv` has the package */
export function addProtoc(place: Workplace): string {
  place.write('bin/protoc', PROGRAM, 0o755);
  return join(place.folder, 'bin');
}

/**
 * Where there is no protoc, a workplace with the one that Python's package brings, in its folder `bin`.
 * @returns undefined if there is a protoc, or no Python
 */
export async function protocOfPython(): Promise<Workplace | undefined> {
  if (runs('protoc') || !runs('python3')) return undefined;
  const place = new Workplace({});
  await place.run('python3 -m venv venv && venv/bin/pip install -q grpcio-tools');
  addProtoc(place);
  return place;
}

/** The search path for programs with that one, for a workplace. */
export const pathTo = (protoc: Workplace | undefined): Record<string, string> =>
  protoc ? { PATH: `${join(protoc.folder, 'bin')}:${process.env['PATH']}` } : {};
