#!/usr/bin/env bash
# Installs node and npm if they are missing, and exactly the packages of package-lock.json in
# node_modules. Does nothing if they are there.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
command -v node >/dev/null || missing+=(nodejs)
command -v npm >/dev/null || missing+=(npm)
if ((${#missing[@]})); then
  as_root=()
  ((EUID == 0)) || as_root=(sudo -n)
  echo "npm: installing with apt: ${missing[*]}" >&2
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

# A folder without the current lock file's copy is incomplete or old, and is installed again.
if ! cmp -s package-lock.json node_modules/.installed; then
  npm ci --silent --no-audit --no-fund --ignore-scripts
  cp package-lock.json node_modules/.installed
fi
