#!/usr/bin/env bash
# Checks the scripts and styles: their format, their types (JSDoc, checked by tsc), and by the tests that
# need no browser. Installs node and the packages if they are missing. Needs neither Rust nor a running service.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/npm.sh
bin=node_modules/.bin
"$bin/prettier" --check --log-level warn . || { echo "check-js: run \`make fmt\`" >&2; exit 1; }
# The load tests are checked against the types of k6 1.1 and of k6 2.
for project in web tests/browser loadtest loadtest/tsconfig.node.json loadtest/tsconfig.k6-2.json; do
  "$bin/tsc" --project "$project"
done
# The copy that the console loads is the package's file, unchanged.
cmp web/vendor/uplot/uPlot.esm.js node_modules/uplot/dist/uPlot.esm.js
node --test --test-reporter=dot tests/browser/unit/*.test.mjs >&2 || { node --test tests/browser/unit/*.test.mjs >&2; exit 1; }
echo "check-js: passed" >&2
