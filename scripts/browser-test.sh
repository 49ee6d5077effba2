#!/usr/bin/env bash
# The pages in a real browser, against a real `onsale dev`: installs what is missing (node, Chromium,
# Korean fonts, the test's packages), builds, runs. Screenshots are left in tests/browser/shots.
#
#   scripts/browser-test.sh                 all of them
#   scripts/browser-test.sh wait draw       the files whose names have one of these in them
#
# Each file by itself, at most seven minutes.
#
# CHROMIUM     a browser of your own
# ONSALE_BIN   a binary of your own, which is then not built
# AGAIN        where set, files that failed are run once more: a busy machine keeps no time
set -euo pipefail
cd "$(dirname "$0")/.."

export CHROMIUM=${CHROMIUM:-/usr/bin/chromium}
missing=()
[[ -x $CHROMIUM ]] || missing+=(chromium)
command -v node >/dev/null || missing+=(nodejs)
command -v npm >/dev/null || missing+=(npm)
compgen -G '/usr/share/fonts/*/nanum/*' >/dev/null || missing+=(fonts-nanum)
if ((${#missing[@]})); then
  as_root=()
  ((EUID == 0)) || as_root=(sudo -n)
  echo "browser-test: installing with apt: ${missing[*]}" >&2
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

# Exactly what the lock file says; the package of the browser's driver brings no browser.
(cd tests/browser && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --no-audit --no-fund --silent)
if [[ -z ${ONSALE_BIN:-} ]]; then
  cargo build --locked --quiet
  ONSALE_BIN=$(realpath "${CARGO_TARGET_DIR:-target}/debug/onsale")
  export ONSALE_BIN
fi

mkdir -p tests/browser/shots
cd tests/browser
files=()
for file in *.test.mjs unit/*.test.mjs; do
  [[ -e $file ]] || continue
  wanted=$((${#@} == 0))
  for word in "$@"; do
    [[ $file == *"$word"* ]] && wanted=1
  done
  ((wanted)) && files+=("$file")
done

# The files of those given that fail.
failing() {
  local file
  for file; do
    timeout --foreground 420 node --test "$file" >&2 || echo "$file"
  done
}
mapfile -t failed < <(failing "${files[@]}")
if ((${#failed[@]})) && [[ -n ${AGAIN:-} ]]; then
  echo "browser-test: FLAKY or broken, once more: ${failed[*]}" >&2
  mapfile -t failed < <(failing "${failed[@]}")
fi
((${#failed[@]} == 0)) || { echo "browser-test: failed: ${failed[*]}" >&2; exit 1; }
echo "browser-test: ${#files[@]} files passed" >&2
