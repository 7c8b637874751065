#!/usr/bin/env bash
# Installs what checks the Helm chart: helm, by Go unless it is there, and kubernetes-validate, which brings the schemas
# of Kubernetes, from PyPI.
set -euo pipefail

folder="${1:?the folder to install into}"
validate=kubernetes-validate==1.37.0
mkdir -p "$folder"
folder="$(cd "$folder" && pwd)"

if ! command -v helm >/dev/null 2>&1 && [ ! -x "$folder/helm" ]; then
  GOBIN="$folder" go install helm.sh/helm/v3/cmd/helm@v3.18.6 || {
    echo 'helm is missing, and Go to build it: https://helm.sh/docs/intro/install/' >&2
    exit 1
  }
fi

[ -x "$folder/$validate/bin/kubernetes-validate" ] && exit 0
rm -rf "${folder:?}/$validate"
python3 -m venv "$folder/$validate" &&
  "$folder/$validate/bin/pip" install --quiet --disable-pip-version-check "$validate" || {
  rm -rf "${folder:?}/$validate"
  echo "kubernetes-validate is missing: python3 -m venv $folder/$validate && $folder/$validate/bin/pip install $validate" >&2
  exit 1
}
