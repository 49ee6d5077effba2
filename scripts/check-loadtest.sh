#!/usr/bin/env bash
# Tests the load-test kit: against the example shop, correct and with each of its faults, and against a
# private onsale. Installs node and k6 if they are missing. Takes some minutes.
#
# ONSALE_BIN   the binary to use (default: a debug build of this checkout)
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/npm.sh
K6=$(scripts/k6.sh)
export K6
node --test --test-reporter=spec loadtest/test/*.test.mjs

if [[ -z ${ONSALE_BIN:-} ]]; then
  scripts/build.sh
  ONSALE_BIN=$(realpath "${CARGO_TARGET_DIR:-target}/debug/onsale")
fi
export ONSALE_BIN
"$ONSALE_BIN" dev --throwaway -- node --test --test-reporter=spec loadtest/test/onsale/deployment.test.mjs
loadtest/run.sh --once
loadtest/run.sh rush smoke
echo "check-loadtest: passed" >&2
