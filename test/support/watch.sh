#!/usr/bin/env bash
# Runs `latchkey dev` from the sources: compiles each change, and starts the program anew. The command behind `npm run dev`.
set -euo pipefail

# A process group for each: `tsc` is a script that starts the compiler, and does not hand signals on. `node --watch` does.
set -m
tsc --watch --preserveWatchOutput </dev/null &
compiler=$!
# Node sends the program SIGTERM before it starts it again, so that it ends in order.
node --watch --watch-preserve-output --enable-source-maps dist/src/main.js dev </dev/null &
program=$!
trap 'kill -- "-$compiler" "$program" 2>/dev/null || true; wait' EXIT
trap 'exit 0' INT TERM
wait -n "$compiler" "$program"
