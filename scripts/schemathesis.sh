#!/usr/bin/env bash
# Holds the service against its own description: requests made up from /openapi.json, well and ill
# formed, must be answered as the description says, and never with a 500.
#
# usage: scripts/schemathesis.sh
#
# Runs on private stores of its own, started by `onsale dev --throwaway`, which end with it. The
# exit code is that of the checks. Settings, all optional:
#   ONSALE_BIN       the binary (default: cargo builds it)
#   ONSALE_DATA      the folder that keeps the installed tool and the reports (default: .onsale)
#   FUZZ_EXAMPLES    made-up requests per operation and run (default: 25)
#   FUZZ_SEED        the same requests again (default: as the report of the last run says, or any)
#   FUZZ_SECONDS     the longest that one of the two runs may take (default: 85)
set -euo pipefail

VERSION=4.32.5
cd "$(dirname "$0")/.."
mkdir -p "${ONSALE_DATA:=.onsale}"
data=$(cd "$ONSALE_DATA" && pwd)

# Installs the tool once, beside the data of `onsale dev`.
install() {
  local venv="$data/schemathesis-$VERSION"
  if [[ ! -x $venv/bin/schemathesis ]]; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check "schemathesis==$VERSION"
  fi
  schemathesis=$venv/bin/schemathesis
}

# A member of the JSON object on standard input.
member() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

# Starts the service on the stores that the environment names; sets `address`.
serve() {
  "$ONSALE_BIN" migrate
  ONSALE_LISTEN=127.0.0.1:0 ONSALE_OPEN_SIGNUP=true ONSALE_LOG=warn \
    "$ONSALE_BIN" serve >"$data/fuzz.address" 2>"$data/fuzz.log" &
  service=$!
  trap 'kill "$service" 2>/dev/null || true; wait "$service" || true' EXIT
  for _ in $(seq 100); do
    address=$(sed -n 's/^onsale is listening on //p' "$data/fuzz.address")
    [[ -z $address ]] || return 0
    sleep 0.1
  done
  cat "$data/fuzz.log" >&2
  return 1
}

# Streams are left out: their answers have no end to wait for.
#
# One run: a name, and what to add to the command line.
run() {
  local name=$1
  shift
  echo "== $name"
  # From the data folder, where it leaves its notes.
  env -C "$data" timeout --signal=INT "${FUZZ_SECONDS:-85}" "$schemathesis" run "$address/openapi.json" \
    --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance \
    --max-examples "${FUZZ_EXAMPLES:-25}" --phases examples,coverage,fuzzing --workers 1 \
    --exclude-path-regex '/stream$' --request-timeout 10 --no-color --generation-database none \
    ${FUZZ_SEED:+--seed "$FUZZ_SEED"} "$@"
}

inside() {
  install
  serve
  local made user token ticket schedule
  # The demo sale: schedules to find, and a line to be in.
  schedule=$("$ONSALE_BIN" seed | sed -n 's/^schedule \([0-9]*\) is on sale.*/\1/p')
  made=$(curl -fsS "$address/v1/users" -H 'content-type: application/json' -d '{"name":"Fuzz"}')
  user=$(member id <<<"$made")
  token=$(member access_token <<<"$made")
  ticket=$(curl -fsS -X POST "$address/v1/schedules/$schedule/queue" \
    -H "authorization: Bearer $token" | member queue_token)
  local failed=0
  run "a buyer, everywhere" -H "Authorization: Bearer $token" -H "Queue-Token: $ticket" || failed=$?
  token=$("$ONSALE_BIN" token --user "$user" --admin)
  run "an administrator, in administration" -H "Authorization: Bearer $token" \
    --include-path-regex '^/v1/admin/' || failed=$?
  if grep -E 'ERROR|panicked' "$data/fuzz.log"; then
    echo "the service logged errors: $data/fuzz.log" >&2
    failed=1
  fi
  return "$failed"
}

if [[ ${1:-} == inside ]]; then
  inside
else
  if [[ -z ${ONSALE_BIN:-} ]]; then
    cargo build --quiet
    ONSALE_BIN=$(cargo metadata --format-version 1 --no-deps | member target_directory)/debug/onsale
  fi
  export ONSALE_BIN ONSALE_UNSAFE_POSTGRES=true
  exec "$ONSALE_BIN" dev --throwaway -- "$PWD/scripts/schemathesis.sh" inside
fi
