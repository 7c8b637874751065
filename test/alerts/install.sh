#!/usr/bin/env bash
# Installs Prometheus, with promtool, for the tests of alerts: the package of Debian and Ubuntu.
set -euo pipefail

have() { command -v prometheus >/dev/null 2>&1 && command -v promtool >/dev/null 2>&1; }
have && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  # Debian starts what it installs; 101 tells it that the server is not wanted.
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    trap 'rm -f "$policy"' EXIT INT TERM
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq && apt-get install -y -qq --no-install-recommends prometheus >/dev/null || true
  have && exit 0
fi
echo 'prometheus or promtool is missing: apt-get install prometheus (Debian, Ubuntu), brew install prometheus (macOS)' >&2
exit 1
