#!/bin/sh
# The integration tests with a Redis Cluster for each test instead of one server, the failovers
# among them, and half a minute of chaos on one with replicas (docs/RELIABILITY.md): what the
# failovers were like for buyers, and what the chaos came to, is printed at the end.
#
#   scripts/test-cluster.sh          all of them
#   scripts/test-cluster.sh some     those that lean on Redis most, for CI
#
# Left out are those that need no Redis of their own kind: the scripts one by one (`scripts::`), and
# two that put a proxy before the one server there is, where a cluster's nodes name themselves.
set -eu
cd "$(dirname "$0")/.."

fits='kind(test) & binary(onsale) - test(/^scripts::/)
    - test(=streams::a_store_that_is_away_is_told_once_and_so_is_its_return)
    - test(=fault::what_a_killed_process_committed_reaches_redis_and_whoever_asks_again)'
chaos='binary(chaos) & test(=whatever_dies_nothing_is_lost)'
case ${1:-all} in
all) ;;
# The failovers run in `make test` too.
some) fits="$fits & test(/^(line|recovery|draw_recovery|backward|outage|race|reshard)::/)" ;;
*) echo "test-cluster: all or some, not $1" >&2; exit 2 ;;
esac

scripts/stores.sh
if ! cargo nextest --version >/dev/null 2>&1; then
    cargo install --locked --quiet cargo-nextest
fi
cargo build --locked --quiet
cargo nextest run --locked --no-run --cargo-quiet
export ONSALE_TEST_REDIS=cluster
# A seed that begins with a primary killed, one stopped, and every kind of loss.
export CHAOS_SEED="${CHAOS_SEED:-39}" CHAOS_SECONDS="${CHAOS_SECONDS:-30}"
exec "${CARGO_TARGET_DIR:-target}/debug/onsale" dev --throwaway -- \
    cargo nextest run --locked --cargo-quiet -P "${NEXTEST_PROFILE:-cluster}" -E "$fits" -E "$chaos"
