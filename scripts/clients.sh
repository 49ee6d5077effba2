#!/usr/bin/env bash
# Checks /openapi.json against the OpenAPI specification, and its examples against their schemas. Then
# generates a Python client and TypeScript types from it, and uses each for a buyer's journey against a
# running service: join, poll, hold, pay. Checks that the types of the pages are those of this description.
#
# usage: scripts/clients.sh          all of it
#        scripts/clients.sh types    only writes the types of the pages, web/js/onsale/schemas.d.ts
#
# Runs on private stores that `onsale dev --throwaway` starts and stops.
# Settings, all optional:
#   ONSALE_BIN    the binary to test (default: a debug build of this checkout)
#   ONSALE_DATA   the folder for the installed tools (default: .onsale)
set -euo pipefail

cd "$(dirname "$0")/.."
mkdir -p "${ONSALE_DATA:=.onsale}"
data=$(cd "$ONSALE_DATA" && pwd)
sources=$PWD/tests/clients
types=$PWD/web/js/onsale/schemas.d.ts
# Other versions of the tools get another folder.
tools=$data/clients-$(cksum <"$sources/requirements.txt" | cut -d ' ' -f 1)
out=$data/clients-out

# Installs the tools once. A folder without the file `installed` is incomplete, and is installed again.
install() {
  [[ ! -e $tools/installed ]] || return 0
  local missing=() as_root=()
  python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
  if ((${#missing[@]})); then
    ((EUID == 0)) || as_root=(sudo -n)
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  fi
  rm -rf "$tools"
  mkdir -p "$tools"
  python3 -m venv "$tools/venv"
  "$tools/venv/bin/pip" install --quiet --disable-pip-version-check -r "$sources/requirements.txt"
  touch "$tools/installed"
}

# Starts the service on the stores in the environment. Sets `address`.
serve() {
  "$ONSALE_BIN" migrate
  ONSALE_LISTEN=127.0.0.1:0 ONSALE_OPEN_SIGNUP=true ONSALE_LOG=warn \
    "$ONSALE_BIN" serve >"$out/address" 2>"$out/log" &
  service=$!
  trap 'kill $service 2>/dev/null || true; wait || true' EXIT
  for _ in $(seq 300); do
    address=$(sed -n 's/^onsale is listening on //p' "$out/address")
    [[ -z $address ]] || return 0
    kill -0 "$service" 2>/dev/null || break
    sleep 0.1
  done
  cat "$out/log" >&2
  return 1
}

# Writes the TypeScript types of the description's schemas.
write_types() {
  node "$sources/schemas.mjs" "$out/openapi.json" >"$1"
}

inside() {
  [[ ${1:-} == types ]] || install
  scripts/npm.sh
  rm -rf "$out"
  mkdir -p "$out/ts"
  serve
  local schedule python=$tools/venv/bin
  schedule=$("$ONSALE_BIN" seed | sed -n 's/^schedule \([0-9]*\) is on sale.*/\1/p')
  curl -fsS "$address/openapi.json" -o "$out/openapi.json"
  if [[ ${1:-} == types ]]; then
    write_types "$types"
    return
  fi
  write_types "$out/schemas.d.ts"
  cmp "$out/schemas.d.ts" "$types" ||
    { echo "clients: the API has changed: run \`make types\`, then \`make check-scripts\`" >&2; return 1; }

  "$python/python" "$sources/check.py" "$out/openapi.json"

  printf 'package_name_override: onsale_client\npost_hooks: []\n' >"$out/config.yml"
  "$python/openapi-python-client" generate --path "$out/openapi.json" --config "$out/config.yml" \
    --meta none --output-path "$out/py/onsale_client" >"$out/generated" 2>&1 ||
    { cat "$out/generated" >&2; return 1; }
  PYTHONPATH=$out/py "$python/python" "$sources/journey.py" "$address" "$schedule"

  cp "$sources/journey.ts" "$sources/tsconfig.json" package.json "$out/ts"
  ln -s "$PWD/node_modules" "$out/ts/node_modules"
  node_modules/.bin/openapi-typescript "$out/openapi.json" -o "$out/ts/onsale.d.ts" >"$out/typed" 2>&1 ||
    { cat "$out/typed" >&2; return 1; }
  node_modules/.bin/tsc --project "$out/ts"
  node "$out/ts/out/journey.js" "$address" "$schedule"
}

if [[ ${1:-} == inside ]]; then
  inside "${2:-}"
else
  if [[ -z ${ONSALE_BIN:-} ]]; then
    scripts/build.sh
    ONSALE_BIN=$(cargo metadata --format-version 1 --no-deps |
      python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')/debug/onsale
  fi
  export ONSALE_BIN ONSALE_UNSAFE_POSTGRES=true
  exec "$ONSALE_BIN" dev --throwaway -- "$PWD/scripts/clients.sh" inside "${1:-}"
fi
