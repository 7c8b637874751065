#!/usr/bin/env bash
# Runs the whole suite some times in a row, beside a busy loop on each processor: the command behind
# `npm run test:loaded`.
set -euo pipefail

runs="${1:-1}"
case "$runs" in
  '' | *[!0-9]* | 0*) echo 'usage: npm run test:loaded -- RUNS' >&2; exit 2 ;;
esac

# A loop ends with this script, and in any case when its time is over.
MOST_SECONDS_A_RUN=1200
LOOP='const [endMs, parent] = [Date.now() + 1000 * process.argv[1], process.ppid];
while (Date.now() < endMs && process.ppid === parent);'
loops=()
trap '[ "${#loops[@]}" = 0 ] || kill "${loops[@]}" 2>/dev/null || true' EXIT
processors="$(node -p 'os.availableParallelism()')"
for ((n = 0; n < processors; n++)); do
  node -e "$LOOP" "$((runs * MOST_SECONDS_A_RUN))" &
  loops+=("$!")
done

for ((run = 1; run <= runs; run++)); do
  bash test/support/suite.sh || { echo "run $run of $runs failed" >&2; exit 1; }
  echo "run $run of $runs passed, beside $processors busy loops"
done
