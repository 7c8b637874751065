// Checks that the commands of docs/clients.md, in an empty folder, make clients that work on a running service.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { itRunsTheCommandsOf, OUTPUT, PREPARATION } from './page-clients.js';

const COMPARE = fileURLToPath(new URL('../../../test/clients/upstream/main.go', import.meta.url));

// Python puts the code of every file into one registry of names, whatever package it came from.
const GENERATE_ALL = `
files="$(cd "$LATCHKEY/proto/" && find . -name '*.proto' | sed 's#^\\./##')"
all="$(mktemp -d)"
trap 'rm -rf "$all"' EXIT
venv/bin/python -m grpc_tools.protoc -I "$LATCHKEY/proto" --python_out="$all" --grpc_python_out="$all" $files
test -f "$all/google/rpc/status_pb2.py"
cp main.py "$all"
venv/bin/python "$all/main.py"`;

describe('the page on clients', function () {
  this.timeout(300_000);
  // Python first: where there is no protoc, the others use the one that it brings.
  const clients = itRunsTheCommandsOf(['Python', 'Go', 'Java', 'TypeScript']);

  it('Python: code of every file in proto/ goes together with the published packages', async function () {
    const { place } = await clients.printed(this, 'Python');
    expect(await place.run(PREPARATION + GENERATE_ALL)).to.equal(OUTPUT);
  });

  it('Go: our copies of shared files declare what the published packages declare', async function () {
    const { place } = await clients.printed(this, 'Go');
    place.write('upstream/main.go', readFileSync(COMPARE, 'utf8'));
    expect(await place.run('go run ./upstream "$LATCHKEY/proto/gen/descriptors.binpb"')).to.equal(
      ['google/rpc/error_details.proto', 'google/rpc/status.proto', 'grpc/health/v1/health.proto']
        .map((name) => `${name}: the same\n`)
        .join(''),
    );
  });
});
