#!/usr/bin/env bash
# Runs the whole suite, the tests of some folders, or what else is named: the command behind `npm test`.
set -euo pipefail

if [ "$#" = 0 ] || [ -d "$1" ]; then
  # Without source maps, which take a tenth of the processor time of tests in one process. `test:one` has them.
  # V8 optimizes functions later than by default. Most processes end before that pays: a start of the program takes a
  # sixth less of processor time on Node 20. `test:one` has V8's default, as users have.
  exec node --interrupt-budget=1000000 dist/test/support/suite.js "$@"
fi
case "$1" in
  -*) exec npx mocha 'dist/test/**/*.test.js' "$@" ;;
  *) exec bash test/support/one.sh "$@" ;;
esac
