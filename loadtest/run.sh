#!/bin/sh
# Runs a load test against a private onsale with throwaway stores.
#
#   loadtest/run.sh [scenario] [profile]
#   loadtest/run.sh --once
#
# scenario: rush (default), poll, contention, checkout, once
# profile:  load (default, or $PROFILE), smoke, stress, soak; once has only smoke
# --once:   one buyer goes through everything, in seconds: the same as `once smoke`
#
# ONSALE_BIN    the binary to test (default: a release build of this checkout)
# K6            the k6 to use (default: k6 in PATH, or else k6 installed into ./.onsale/k6)
# BEHIND_NGINX  if set, k6 calls the service through nginx, as deploy/nginx configures it
set -eu

cd "$(dirname "$0")/.."
scenario=${1:-rush}
[ "$scenario" != --once ] || scenario=once
profile=${2:-${PROFILE:-load}}
[ "$scenario" != once ] || profile=smoke

fail() {
    echo "loadtest: $*" >&2
    exit 2
}

case $scenario in
    rush | poll | contention | checkout | once) ;;
    *) fail "no scenario \"$scenario\": rush, poll, contention, checkout or once" ;;
esac
case $profile in
    smoke | load | stress | soak) ;;
    *) fail "no profile \"$profile\": smoke, load, stress or soak" ;;
esac
K6=$(scripts/k6.sh)

if [ -z "${ONSALE_BIN:-}" ]; then
    command -v cargo >/dev/null || fail "cargo is missing, which would build onsale: name a binary in ONSALE_BIN"
    cargo build --release --quiet --bin onsale
    ONSALE_BIN=${CARGO_TARGET_DIR:-target}/release/onsale
fi
[ -x "$ONSALE_BIN" ] || fail "$ONSALE_BIN does not exist"

export K6 ONSALE_BIN
exec "$ONSALE_BIN" dev --throwaway -- sh loadtest/inside.sh "$scenario" "$profile"
