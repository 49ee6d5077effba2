#!/bin/sh
# Runs the checks, the cheapest first: format, lints, dependencies, queries, tests. The tests run on a
# throwaway PostgreSQL and Redis. The last output is the summary of the test runner.
set -eu
cd "$(dirname "$0")/.."

step() { echo "== $*" >&2; }

step "Redis and PostgreSQL, and the tools of tests"
scripts/stores.sh
scripts/test-tools.sh

step "format"
cargo fmt --all --check

step "dependencies"
scripts/deny.sh possible

step "lints, and queries against .sqlx"
scripts/sqlx.sh check

step "tests"
if ! cargo nextest --version >/dev/null 2>&1; then
    cargo install --locked --quiet cargo-nextest
fi
# Build before the stores start: the binary that starts them, and the tests.
scripts/build.sh
cargo nextest run --locked --workspace --no-run --cargo-quiet
exec "${CARGO_TARGET_DIR:-target}/debug/onsale" dev --throwaway -- \
    cargo nextest run --locked --workspace --cargo-quiet "$@"
