// The compiler of proto files for the tools that need one.

import { runs, Workplace } from './workplace.js';

/**
 * Where there is no protoc, a workplace with the one that Python's package brings, in its folder `bin`.
 * @returns undefined if there is a protoc, or no Python
 */
export async function protocOfPython(): Promise<Workplace | undefined> {
  if (runs('protoc') || !runs('python3')) return undefined;
  const place = new Workplace({});
  await place.run(`python3 -m venv venv && venv/bin/pip install -q grpcio-tools && mkdir bin
    ln -s ../venv/bin/python-grpc-tools-protoc bin/protoc`);
  return place;
}

/** The search path for programs with that one, for a workplace. */
export const pathTo = (protoc: Workplace | undefined): Record<string, string> =>
  protoc ? { PATH: `${protoc.folder}/bin:${process.env['PATH']}` } : {};
