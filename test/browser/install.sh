#!/usr/bin/env bash
# Installs what the tests in a real browser need: Chromium from the system, and packages for pages into a folder.
set -euo pipefail

folder="${1:?the folder to install the packages into}"
shift
# More packages may be named; React is for the page in strict mode.
packages=(react@19.3.1 react-dom@19.3.1 "$@")

wanted="${packages[*]}"
if [ "$(cat "$folder/installed" 2>/dev/null)" != "$wanted" ]; then
  mkdir -p "$folder"
  # Outside of the project's own tree: none of these is a dependency of it.
  echo '{"private":true}' >"$folder/package.json"
  npm install --prefix "$folder" --ignore-scripts --no-audit --no-fund --loglevel=error "${packages[@]}" >/dev/null || {
    echo "the packages of the pages are missing: npm install --prefix $folder $wanted" >&2
    exit 1
  }
  printf '%s' "$wanted" >"$folder/installed"
fi

found() { command -v chromium || command -v chromium-browser || command -v google-chrome; }
found >/dev/null 2>&1 && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null || true
  found >/dev/null 2>&1 && exit 0
fi
echo 'Chromium is missing: apt-get install chromium (Debian), brew install --cask chromium (macOS)' >&2
exit 1
