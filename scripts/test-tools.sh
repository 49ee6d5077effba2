#!/bin/sh
# Installs the programs beside the stores that tests use, if they are missing: PgBouncer, nginx, HAProxy,
# Prometheus (with promtool), strace, systemd-analyze and libfaketime. Starts no service. Without apt,
# install them yourself.
set -eu

missing=
for program in pgbouncer nginx haproxy prometheus strace; do
    PATH=$PATH:/usr/sbin command -v $program >/dev/null || missing="$missing $program"
done
command -v systemd-analyze >/dev/null || missing="$missing systemd"
# Debian's path; the tests look there.
if [ "$(uname -s)" = Linux ] && [ ! -e "/usr/lib/$(uname -m)-linux-gnu/faketime/libfaketimeMT.so.1" ]; then
    missing="$missing libfaketime"
fi
[ -n "$missing" ] || exit 0
if ! command -v apt-get >/dev/null; then
    echo "test-tools: please install$missing" >&2
    exit 1
fi
as_root=
[ "$(id -u)" -eq 0 ] || as_root='sudo -n'
echo "test-tools: installing with apt:$missing" >&2
$as_root apt-get update -qq >&2
# In this run level, the packages do not start their services.
# shellcheck disable=SC2086 # a list of words
$as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
    apt-get install -y -qq --no-install-recommends $missing >&2
