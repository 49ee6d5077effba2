#!/bin/sh
# Keeps .sqlx true: what PostgreSQL says about every `query!`, so that builds need no database.
#
#   scripts/sqlx.sh          write .sqlx anew (after a change to a query or a migration)
#   scripts/sqlx.sh check    fail where .sqlx is not what the sources and migrations give
#
# The macros themselves write these files when they are compiled with a live DATABASE_URL and
# SQLX_OFFLINE_DIR. The database is a throwaway PostgreSQL with nothing but the migrations in it,
# made here and not by `onsale dev`: that cannot be built while .sqlx lacks a query.
set -eu
cd "$(dirname "$0")/.."

mode=${1:-write}
bin=$(sh scripts/stores.sh --postgres)

# PostgreSQL does not run as root, but as somebody who must get to the work folder.
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
# Only by a socket in the work folder: no port to find.
unprivileged "$bin/pg_ctl" -D "$work/data" -w -l "$work/data/log" \
    -o "-c listen_addresses= -c unix_socket_directories=$work -c fsync=off" start >/dev/null ||
    fail "PostgreSQL did not start: $(unprivileged cat "$work/data/log")"
# The work folder is private: we pass as its owner or as root.
psql() { "$bin/psql" -X -q -v ON_ERROR_STOP=1 -h "$work" -U onsale "$@"; }
psql -d postgres -c 'create database onsale'
for migration in migrations/*.sql; do
    psql -d onsale -1 -f "$migration" || fail "$migration does not apply"
done

# The macros only run when the crate is compiled.
touch src/lib.rs
mkdir "$work/new"
DATABASE_URL="postgres://onsale@localhost/onsale?host=$work" SQLX_OFFLINE=false \
    SQLX_OFFLINE_DIR="$work/new" cargo check --quiet --all-targets || fail "the sources do not compile"

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
    fail ".sqlx is not what the sources and migrations give: run \`make sqlx\` and commit .sqlx"
    ;;
*) fail "no mode \"$mode\": none, or check" ;;
esac
