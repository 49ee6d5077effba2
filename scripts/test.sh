#!/bin/sh
# Everything CI checks, the cheapest first. The tests run on a PostgreSQL and a Redis of their own,
# gone afterwards. The test runner's closing lines are the last thing printed.
set -eu
cd "$(dirname "$0")/.."

step() { echo "== $*" >&2; }

step "Redis and PostgreSQL"
scripts/stores.sh

step "format"
cargo fmt --check

step "lints"
cargo clippy --locked --all-targets --quiet -- -D warnings

# Licences and sources are checked by a test in any case; the advisories are `make deny`'s.
if cargo deny --version >/dev/null 2>&1; then
    step "dependencies"
    cargo deny --locked --offline check bans licenses sources
fi

step "queries against .sqlx"
scripts/sqlx.sh check

step "tests"
if ! cargo nextest --version >/dev/null 2>&1; then
    cargo install --locked --quiet cargo-nextest
fi
# Both built before the stores start: the binary that runs them, and the tests.
cargo build --locked --quiet
cargo nextest run --locked --no-run --cargo-quiet
exec "${CARGO_TARGET_DIR:-target}/debug/onsale" dev --throwaway -- \
    cargo nextest run --locked --cargo-quiet "$@"
