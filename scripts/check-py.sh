#!/usr/bin/env bash
# Checks the format and the lints of the Python scripts (ruff.toml). With --fix it formats them instead.
# Installs ruff once, in .onsale.
set -euo pipefail

VERSION=0.14.14
cd "$(dirname "$0")/.."
venv=.onsale/ruff-$VERSION
if [[ ! -x $venv/bin/ruff ]]; then
  mkdir -p .onsale
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check "ruff==$VERSION"
fi
paths=(loadtest scripts tests/clients tests/deploy)
if [[ ${1:-} == --fix ]]; then
  exec "$venv/bin/ruff" format --quiet "${paths[@]}"
fi
"$venv/bin/ruff" format --quiet --check "${paths[@]}" || { echo "check-py: run \`make fmt\`" >&2; exit 1; }
"$venv/bin/ruff" check --quiet "${paths[@]}"
echo "check-py: passed" >&2
