#!/bin/sh
# Injects faults at times that a seed determines, and checks that nothing was lost: `make chaos`.
# docs/RELIABILITY.md explains the output.
#
# chaos.sh [FIRST_SEED [SECONDS [SEEDS]]]: SEEDS runs of SECONDS seconds each, with consecutive seeds.
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
        --profile chaos --test chaos -E 'test(=nothing_is_lost_under_random_faults)' || failed="$failed $seed"
    seed=$((seed + 1))
done
[ -z "$failed" ] || { echo "failed seeds:$failed" >&2; exit 1; }
