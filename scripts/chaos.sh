#!/bin/sh
# Breaks things at moments that a seed decides, and proves that nothing was lost: `make chaos`.
# docs/RELIABILITY.md says how to read what it prints.
#
# chaos.sh [FIRST_SEED [SECONDS [SEEDS]]]: so many runs of so many seconds, each with the next seed.
set -eu
cd "$(dirname "$0")/.."
seed=${1:-1} seconds=${2:-60} seeds=${3:-1}

if ! cargo nextest --version >/dev/null 2>&1; then
    cargo install --locked --quiet cargo-nextest
fi
cargo nextest run --locked --no-run --cargo-quiet --test chaos
failed=
last=$((seed + seeds - 1))
while [ "$seed" -le "$last" ]; do
    echo "== seed $seed, $seconds s" >&2
    CHAOS_SEED=$seed CHAOS_SECONDS=$seconds cargo nextest run --locked --cargo-quiet \
        --profile chaos --test chaos -E 'test(=whatever_dies_nothing_is_lost)' || failed="$failed $seed"
    seed=$((seed + 1))
done
[ -z "$failed" ] || { echo "seeds that failed:$failed" >&2; exit 1; }
