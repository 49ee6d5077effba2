#!/usr/bin/env bash
# Tests the pages in a real browser, against a real `onsale dev`. Installs missing packages (node, Chromium,
# Korean fonts, nginx, the npm packages of the tests), builds, and runs. Screenshots are in tests/browser/shots.
#
#   scripts/browser-test.sh                 all test files
#   scripts/browser-test.sh wait draw       test files with one of these words in their names
#
# Two files run at a time, each for at most seven minutes.
#
# CHROMIUM     the browser to use (default: /usr/bin/chromium)
# ONSALE_BIN   the binary to use (default: a debug build of this checkout)
# AGAIN        if set, failed files run once more, because timing on a busy machine is unreliable
set -euo pipefail
cd "$(dirname "$0")/.."

export CHROMIUM=${CHROMIUM:-/usr/bin/chromium}
missing=()
[[ -x $CHROMIUM ]] || missing+=(chromium)
compgen -G '/usr/share/fonts/*/nanum/*' >/dev/null || missing+=(fonts-nanum)
if ((${#missing[@]})); then
  as_root=()
  ((EUID == 0)) || as_root=(sudo -n)
  echo "browser-test: installing with apt: ${missing[*]}" >&2
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

scripts/test-tools.sh
scripts/npm.sh
if [[ -z ${ONSALE_BIN:-} ]]; then
  scripts/build.sh
  ONSALE_BIN=$(realpath "${CARGO_TARGET_DIR:-target}/debug/onsale")
  export ONSALE_BIN
fi

mkdir -p tests/browser/shots
cd tests/browser
files=()
for file in *.test.mjs; do
  wanted=$((${#@} == 0))
  for word in "$@"; do
    [[ $file == *"$word"* ]] && wanted=1
  done
  ((wanted)) && files+=("$file")
done

# Runs the given files, two at a time, and prints the names of those that fail. A file's output is
# printed when it ends, so that two files do not mix.
failing() {
  # shellcheck disable=SC2016 # expanded by that shell
  printf '%s\n' "$@" | xargs -P 2 -I {} bash -c '
    output=$(timeout --foreground 420 node --test "$1" 2>&1) && passed=1 || passed=
    printf "%s\n" "$output" >&2
    [[ $passed ]] || echo "$1"' _ {}
}
mapfile -t failed < <(failing "${files[@]}")
if ((${#failed[@]})) && [[ -n ${AGAIN:-} ]]; then
  echo "browser-test: FLAKY or broken, running again: ${failed[*]}" >&2
  mapfile -t failed < <(failing "${failed[@]}")
fi
((${#failed[@]} == 0)) || { echo "browser-test: failed: ${failed[*]}" >&2; exit 1; }
echo "browser-test: ${#files[@]} files passed" >&2
