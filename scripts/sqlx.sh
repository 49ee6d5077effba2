#!/bin/sh
# Keeps .sqlx up to date. It has the types of every `query!`, so that builds need no database.
#
#   scripts/sqlx.sh          write .sqlx again (after a change to a query or a migration)
#   scripts/sqlx.sh check    run clippy with warnings as errors, and fail if .sqlx differs from what the
#                            sources and migrations give
#
# The macros write these files when they are compiled with a live DATABASE_URL and SQLX_OFFLINE_DIR. The
# database is a throwaway PostgreSQL with only the migrations in it. This script starts it instead of
# `onsale dev`, which cannot be built while .sqlx lacks a query.
set -eu
cd "$(dirname "$0")/.."

mode=${1:-write}
bin=$(sh scripts/stores.sh --postgres)

# PostgreSQL does not run as root, so it runs as another user, who needs access to the work folder.
account=
base=${TMPDIR:-/tmp}
if [ "$(id -u)" -eq 0 ]; then base=/tmp; fi
work=$(mktemp -d "$base/onsale-sqlx.XXXXXX")
if [ "$(id -u)" -eq 0 ]; then
    account=nobody
    if id postgres >/dev/null 2>&1; then account=postgres; fi
    chown "$account" "$work"
fi
unprivileged() {
    if [ -n "$account" ]; then
        # shellcheck disable=SC2016 # expanded by that shell
        su -s /bin/sh -c 'cd / && exec "$0" "$@"' -- "$account" "$@"
    else
        "$@"
    fi
}

cleanup() {
    if [ -f "$work/data/postmaster.pid" ]; then
        unprivileged "$bin/pg_ctl" -D "$work/data" -m immediate stop >/dev/null || true
    fi
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

fail() {
    echo "sqlx: $*" >&2
    exit 1
}

unprivileged "$bin/initdb" -D "$work/data" -U onsale -A trust -E UTF8 --no-locale --no-sync \
    >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "initdb failed"; }
# It listens only on a socket in the work folder, so no free port is needed.
unprivileged "$bin/pg_ctl" -D "$work/data" -w -l "$work/data/log" \
    -o "-c listen_addresses= -c unix_socket_directories=$work -c fsync=off" start >/dev/null ||
    fail "PostgreSQL did not start: $(unprivileged cat "$work/data/log")"
# The work folder is private. This script can access it as its owner or as root.
psql() { "$bin/psql" -X -q -v ON_ERROR_STOP=1 -h "$work" -U onsale "$@"; }
psql -d postgres -c 'create database onsale'
for migration in migrations/*.sql; do
    psql -d onsale -1 -f "$migration" || fail "applying $migration failed"
done
for function in $(sed 's/#.*//; s/ .*//' migrations/functions/revisions.txt); do
    psql -d onsale -1 -f "migrations/functions/$function.sql" || fail "applying $function failed"
done

# The macros run only if the crate is compiled again. Its time stamp is restored afterwards, so that the
# next build of the library does not start again. In check mode the compiler is clippy: lints and
# queries are checked in one pass.
touch -r src/lib.rs "$work/stamp"
touch src/lib.rs
mkdir "$work/new"
compile() {
    DATABASE_URL="postgres://onsale@localhost/onsale?host=$work" SQLX_OFFLINE=false \
        SQLX_OFFLINE_DIR="$work/new" cargo "$@"
}
case $mode in
check) compile clippy --locked --workspace --all-targets --quiet -- -D warnings || fail "the lints or queries fail" ;;
*) compile check --quiet --all-targets || fail "the sources do not compile" ;;
esac
touch -r "$work/stamp" src/lib.rs

case $mode in
write)
    mkdir -p .sqlx
    rm -f .sqlx/query-*.json
    find "$work/new" -name 'query-*.json' -exec cp {} .sqlx/ \;
    echo "sqlx: $(find .sqlx -name 'query-*.json' | wc -l) queries in .sqlx" >&2
    ;;
check)
    mkdir -p .sqlx
    diff -rq .sqlx "$work/new" >"$work/diff" && exit 0
    sed "s|$work/new|the sources|g" "$work/diff" >&2
    fail ".sqlx does not match the sources and migrations: run \`make sqlx\` and commit .sqlx"
    ;;
*) fail "unknown mode \"$mode\": use no mode, or check" ;;
esac
