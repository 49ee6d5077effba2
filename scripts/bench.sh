#!/usr/bin/env bash
# Our paths beside their yardsticks, in turns on private stores, as one table of ratios; then the
# single steps by criterion.
#
#   scripts/bench.sh                       everything
#   scripts/bench.sh polls --rounds 9      one group; groups and flags as `ratios --help` lists them
#
# Load comes from wrk, redis-benchmark and pgbench, which are installed where they are missing.
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
    echo "bench: ${missing[*]} could not be installed; install by hand and try again" >&2
    exit 1
  fi
fi

if (($#)); then
  exec cargo bench --locked --quiet --bench ratios -- "$@"
fi
cargo bench --locked --quiet --bench ratios
cargo bench --locked --quiet --bench sales
cargo bench --locked --quiet --bench steps
