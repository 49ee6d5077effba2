#!/bin/sh
# Runs the integration tests, including failovers, with a Redis Cluster per test instead of one server.
# Then runs the chaos test for 30 s on a cluster with replicas (docs/RELIABILITY.md). At the end it prints
# how the failovers affected buyers, and the result of the chaos test.
#
#   scripts/test-cluster.sh          all tests
#   scripts/test-cluster.sh some     only those that depend most on Redis, for CI
#
# Excluded are the tests of single scripts (`scripts::`), which run on any Redis. Also excluded are two
# tests that put a proxy in front of the only server: clients find a cluster's nodes by their own addresses.
set -eu
cd "$(dirname "$0")/.."

fits='kind(test) & binary(onsale) - test(/^scripts::/)
    - test(=streams::tickets::streams_report_a_lost_redis_once_and_its_return_once)
    - test(=recovery::fault::a_commit_of_a_killed_process_reaches_redis_and_its_retry_gets_the_answer)'
chaos='binary(chaos) & test(=nothing_is_lost_under_random_faults)'
case ${1:-all} in
all) ;;
# The failover tests also run in `make test`.
some) fits="$fits & test(/^(queue::admission|recovery::(loss|draw_recovery|backward|outage|reshard)|sale::race)::/)" ;;
*) echo "test-cluster: unknown choice \"$1\": use all or some" >&2; exit 2 ;;
esac

scripts/stores.sh
scripts/test-tools.sh
if ! cargo nextest --version >/dev/null 2>&1; then
    cargo install --locked --quiet cargo-nextest
fi
scripts/build.sh
cargo nextest run --locked --no-run --cargo-quiet
export ONSALE_TEST_REDIS=cluster
# A seed whose first faults are a killed primary, a stopped primary, and every kind of loss.
export CHAOS_SEED="${CHAOS_SEED:-39}" CHAOS_SECONDS="${CHAOS_SECONDS:-30}"
exec "${CARGO_TARGET_DIR:-target}/debug/onsale" dev --throwaway -- \
    cargo nextest run --locked --cargo-quiet -P "${NEXTEST_PROFILE:-cluster}" -E "$fits" -E "$chaos"
