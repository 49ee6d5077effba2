#!/usr/bin/env bash
# Compares the CPU of all processes for a join and a hold of two seats with that of a cart of two tickets in
# pretix, in turns on the same private stores, which wait for the disk. Prints tables.
#
#   scripts/bench-pretix.sh                        five rounds of each, about five minutes on two cores
#   scripts/bench-pretix.sh --rounds 1 --carts 20 --holds 100
#
# ONSALE_BIN   the binary to measure (default: a release build of this checkout)
# KEEP         if set, the folder with the logs and the data of the stores is kept
#
# pretix and gunicorn are installed once, in .onsale, with Python 3.11.
set -euo pipefail
cd "$(dirname "$0")/.."

PRETIX=2026.8.0
GUNICORN=27.0.1
venv=$PWD/.onsale/pretix-$PRETIX

fail() {
  echo "bench-pretix: $*" >&2
  exit 2
}

scripts/stores.sh
if [[ ! -x $venv/bin/gunicorn ]]; then
  command -v python3.11 >/dev/null || fail "python3.11 is missing, and pretix needs it"
  mkdir -p .onsale
  python3.11 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check "pretix==$PRETIX" "gunicorn==$GUNICORN"
fi
if [[ -z ${ONSALE_BIN:-} ]]; then
  cargo build --locked --release --quiet --bin onsale
  ONSALE_BIN=${CARGO_TARGET_DIR:-target}/release/onsale
fi
[[ -x $ONSALE_BIN ]] || fail "$ONSALE_BIN does not exist"
ONSALE_BIN=$(realpath "$ONSALE_BIN")

# PostgreSQL's account has to enter the folder.
folder=$(mktemp -d)
chmod 711 "$folder"
PYTHONPATH=$PWD/loadtest PYTHONDONTWRITEBYTECODE=1 "$ONSALE_BIN" dev --data "$folder/stores" -- \
  "$venv/bin/python" scripts/pretix/compare.py "$folder" "$ONSALE_BIN" "$@" ||
  fail "failed; its logs are in $folder"
if [[ -n ${KEEP:-} ]]; then
  echo "bench-pretix: the logs are in $folder" >&2
else
  rm -rf "$folder"
fi
