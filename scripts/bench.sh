#!/usr/bin/env bash
# Compares onsale's paths with yardsticks, in turns on private stores, and prints the ratios as a table.
# Then measures sales, sales in a row, and single steps with criterion. Every bench counts its effects, and
# fails if they are not those of its requests.
#
#   scripts/bench.sh                       everything
#   scripts/bench.sh polls --rounds 9      one group; `scripts/bench.sh --help` lists groups and flags
#   scripts/bench.sh record                sells 50,000 seats as fast as possible
#
# ONSALE_BIN names another build of onsale to measure. `sales` and `sales_in_a_row` do not use it.
#
# The load generators are wrk, redis-benchmark and pgbench. The first two are installed if missing.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/stores.sh

missing=()
command -v wrk >/dev/null || missing+=(wrk)
command -v redis-benchmark >/dev/null || missing+=(redis-tools)
if ((${#missing[@]})); then
  as_root=()
  ((EUID == 0)) || as_root=(sudo -n)
  if ! { "${as_root[@]}" apt-get update -qq && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >&2; then
    echo "bench: installing ${missing[*]} failed; install these packages and try again" >&2
    exit 1
  fi
fi

if (($#)); then
  exec cargo bench --locked --quiet --bench ratios -- "$@"
fi
failed=()
for bench in ratios sales sales_in_a_row steps; do
  cargo bench --locked --quiet --bench "$bench" || failed+=("$bench")
done
((${#failed[@]} == 0)) || { echo "bench: failed: ${failed[*]}" >&2; exit 1; }
