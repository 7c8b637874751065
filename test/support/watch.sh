#!/usr/bin/env bash
# Runs `latchkey dev` from the sources: compiles each change, and starts the program anew. The command behind `npm run dev`.
set -euo pipefail

npx tsc --watch --preserveWatchOutput &
compiler=$!
# Node sends the program SIGTERM before it starts it again, so that it ends in order.
node --watch --watch-preserve-output --enable-source-maps dist/src/main.js dev &
program=$!
trap 'kill "$compiler" "$program" 2>/dev/null || true' EXIT
trap 'exit 0' INT TERM
wait -n "$compiler" "$program"
