#!/bin/sh
# That redis-server is there before the tests run: installs it where that can be done, or says how to get it.
set -eu

if command -v redis-server >/dev/null 2>&1; then
  exit 0
fi

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  # Debian starts what it installs. The tests start servers of their own; 101 tells Debian that this one is not wanted.
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    trap 'rm -f "$policy"' EXIT INT TERM
  fi
  export DEBIAN_FRONTEND=noninteractive
  # What fails here is told by the line below.
  apt-get update -qq && apt-get install -y -qq --no-install-recommends redis-server || true
  command -v redis-server >/dev/null 2>&1 && exit 0
fi

echo 'redis-server is missing: apt-get install redis-server (Debian, Ubuntu), brew install redis (macOS)' >&2
exit 1
