#!/usr/bin/env bash
# Checks the scripts and styles: their format, and their types (JSDoc, checked by tsc). Installs node and
# the packages if they are missing. Needs neither Rust nor a running service.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/npm.sh
bin=node_modules/.bin
"$bin/prettier" --check --log-level warn . || { echo "check-js: run \`make fmt\`" >&2; exit 1; }
for project in web tests/browser loadtest; do
  "$bin/tsc" --project "$project"
done
# The copy that the console loads is the package's file, unchanged.
cmp web/vendor/uplot/uPlot.esm.js node_modules/uplot/dist/uPlot.esm.js
echo "check-js: passed" >&2
