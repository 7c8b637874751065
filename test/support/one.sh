#!/usr/bin/env bash
# Runs one test file, or the tests whose titles contain some words: the command behind `npm run test:one`.
set -euo pipefail

[ "$#" -gt 0 ] || { echo 'usage: npm run test:one -- FILE|TITLE [options of mocha]' >&2; exit 2; }
wanted="$1"
shift

# A file may be given by its source or by what tsc makes of it, from the project's folder or from test/.
path="${wanted#./}"
path="${path#dist/}"
path="${path#test/}"
path="dist/test/${path%.*}.js"
if [ -f "$path" ]; then
  exec npx mocha "$path" "$@"
fi
exec npx mocha 'dist/test/**/*.test.js' --fgrep "$wanted" "$@"
