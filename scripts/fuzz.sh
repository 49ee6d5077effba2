#!/usr/bin/env bash
# Runs each fuzz target of fuzz/ for a limited time, and prints its number of inputs. The exit code is 1 if
# a target crashed. The inputs that crash a target are in fuzz/artifacts.
#
# usage: scripts/fuzz.sh [target…]
#
# Needs a nightly toolchain, which the script does not install, and cargo-fuzz, which it does. Settings, all
# optional:
#   FUZZ_TARGET_SECONDS  how long each target runs (default: 20)
set -euo pipefail
cd "$(dirname "$0")/.."

rustup run nightly rustc --version >/dev/null 2>&1 || {
  echo "make fuzz needs a nightly toolchain: rustup toolchain install nightly --profile minimal" >&2
  exit 2
}
cargo fuzz --version >/dev/null 2>&1 || cargo install --locked --quiet cargo-fuzz

targets=("$@")
((${#targets[@]})) || mapfile -t targets < <(cargo fuzz list)

# The code has no unsafe blocks for a sanitizer to check. Without one it builds and runs faster.
options=(--dev --sanitizer none)
cargo +nightly fuzz build "${options[@]}" >&2

failed=0
for target in "${targets[@]}"; do
  mkdir -p "fuzz/corpus/$target"
  log=fuzz/corpus/$target.log
  result=crashed
  if cargo +nightly fuzz run "${options[@]}" "$target" "fuzz/corpus/$target" "fuzz/seeds/$target" -- \
    -max_total_time="${FUZZ_TARGET_SECONDS:-20}" -timeout=10 -rss_limit_mb=4096 -max_len=4096 >"$log" 2>&1; then
    result="no crash"
  else
    failed=1
    tail -n 40 "$log" >&2
  fi
  runs=$(sed -nE 's/^#([0-9]+).*/\1/p' "$log" | tail -n 1)
  printf '%-12s %12s runs  %s\n' "$target" "${runs:-0}" "$result"
done
exit "$failed"
