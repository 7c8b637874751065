#!/usr/bin/env bash
# Runs the whole suite, the tests of some folders, or what else is named: the command behind `npm test`.
set -euo pipefail

if [ "$#" = 0 ] || [ -d "$1" ]; then
  # Without source maps, which take a tenth of the processor time of tests in one process. `test:one` has them.
  exec node dist/test/support/suite.js "$@"
fi
case "$1" in
  -*) exec npx mocha 'dist/test/**/*.test.js' "$@" ;;
  *) exec bash test/support/one.sh "$@" ;;
esac
