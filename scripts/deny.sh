#!/bin/sh
# Checks the dependencies with cargo-deny, by the rules in deny.toml: banned crates, licences, sources and
# advisories.
#
#   scripts/deny.sh            checks everything; installs cargo-deny if it is missing, which takes minutes
#   scripts/deny.sh possible   checks what can be checked here, and names what it skips
set -eu
cd "$(dirname "$0")/.."

say() { echo "deny: $*" >&2; }

case ${1:-all} in
all)
    cargo deny --version >/dev/null 2>&1 || cargo install --locked --quiet cargo-deny
    exec cargo deny --locked check
    ;;
possible) ;;
*)
    say "unknown choice \"$1\": use none, or possible"
    exit 2
    ;;
esac

if ! cargo deny --version >/dev/null 2>&1; then
    say "SKIPPED: bans, licences, sources and advisories, because cargo-deny is not installed (make deny)"
    exit 0
fi
cargo deny --locked --offline check bans licenses sources
# The database of advisories is a repository on another server. A copy of an earlier run will do.
if timeout 60 cargo deny fetch db >/dev/null 2>&1; then
    cargo deny --locked check --disable-fetch advisories
elif [ -d "${CARGO_HOME:-$HOME/.cargo}/advisory-dbs" ]; then
    say "the database of advisories could not be fetched: using the copy of an earlier run"
    cargo deny --locked --offline check --disable-fetch advisories
else
    say "SKIPPED: advisories, because their database could not be fetched"
fi
