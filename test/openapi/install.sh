#!/usr/bin/env bash
# Installs schemathesis, which calls a gateway by its OpenAPI document, from PyPI.
set -euo pipefail

folder="${1:?the folder to install into}"
package=schemathesis==4.32.5

[ -x "$folder/$package/bin/schemathesis" ] && exit 0
rm -rf "${folder:?}/$package"
python3 -m venv "$folder/$package" &&
  "$folder/$package/bin/pip" install --quiet --disable-pip-version-check "$package" || {
  rm -rf "${folder:?}/$package"
  echo "schemathesis is missing: python3 -m venv $folder/$package && $folder/$package/bin/pip install $package" >&2
  exit 1
}
