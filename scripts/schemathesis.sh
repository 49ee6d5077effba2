#!/usr/bin/env bash
# Holds the service against its own description: requests made up from /openapi.json, well and ill
# formed, must be answered as the description says, and never with a 500; first one by one, and then one
# leading to the next, as the description's links say, while the stores are broken again and again.
#
# usage: scripts/schemathesis.sh
#
# Runs on private stores of its own, started by `onsale dev --throwaway`, which end with it. The
# exit code is that of the checks. Settings, all optional:
#   ONSALE_BIN       the binary (default: cargo builds it)
#   ONSALE_DATA      the folder that keeps the installed tool and the reports (default: .onsale)
#   FUZZ_EXAMPLES    made-up requests per operation and run (default: 25)
#   FUZZ_SEED        the same requests again (default: as the report of the last run says, or any)
#   FUZZ_SECONDS     the longest that one of the runs may take (default: 85)
#   FUZZ_BROKEN      how long each of two runs is while the stores are broken, in seconds, less than
#                    FUZZ_SECONDS (default: 20)
set -euo pipefail

VERSION=4.32.5
cd "$(dirname "$0")/.."
mkdir -p "${ONSALE_DATA:=.onsale}"
data=$(cd "$ONSALE_DATA" && pwd)
here=$PWD/scripts options=()

# Installs the tool once, beside the data of `onsale dev`.
install() {
  local venv="$data/schemathesis-$VERSION"
  if [[ ! -x $venv/bin/schemathesis ]]; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check "schemathesis==$VERSION"
  fi
  schemathesis=$venv/bin/schemathesis
}

# A member of the JSON object on standard input, or else what the second word says.
member() {
  python3 -c 'import json, sys; said, name, *other = json.load(sys.stdin), *sys.argv[1:]
print(said.get(name, *other) if other else said[name])' "$@"
}

# Starts the service on the stores that the environment names; sets `address`.
serve() {
  "$ONSALE_BIN" migrate
  ONSALE_LISTEN=127.0.0.1:0 ONSALE_OPEN_SIGNUP=true ONSALE_LOG=warn \
    "$ONSALE_BIN" serve >"$data/fuzz.address" 2>"$data/fuzz.log" &
  service=$!
  trap 'kill $service ${faults:-} 2>/dev/null || true; wait || true' EXIT
  for _ in $(seq 100); do
    address=$(sed -n 's/^onsale is listening on //p' "$data/fuzz.address")
    [[ -z $address ]] || return 0
    sleep 0.1
  done
  cat "$data/fuzz.log" >&2
  return 1
}

# Streams are left out: their answers have no end to wait for. What is made up may be very long.
#
# One run: a name, and what to add to the command line.
run() {
  local name=$1
  shift
  echo "== $name"
  # From the data folder, where it leaves its notes.
  env -C "$data" timeout --signal=INT "${FUZZ_SECONDS:-85}" "$schemathesis" "${options[@]}" run "$address/openapi.json" \
    --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance \
    --max-examples "${FUZZ_EXAMPLES:-25}" --workers 1 \
    --exclude-path-regex '/stream$' --request-timeout 10 --no-color --generation-database none \
    ${FUZZ_SEED:+--seed "$FUZZ_SEED"} "$@" | cut -c 1-400
}

# Somebody new with points, inside the line of $schedule; sets `user`, `token` and `ticket`.
enter() {
  local made status=WAITING
  made=$(curl -fsS "$address/v1/users" -H 'content-type: application/json' -d '{"name":"Fuzz"}')
  user=$(member id <<<"$made")
  token=$(member access_token <<<"$made")
  curl -fsS -o /dev/null "$address/v1/points/charges" -H "authorization: Bearer $token" \
    -H "idempotency-key: $user" -H 'content-type: application/json' -d '{"amount":1000000}'
  made=$(curl -fsS -X POST "$address/v1/schedules/$schedule/queue" -H "authorization: Bearer $token")
  ticket=$(member queue_token <<<"$made")
  for _ in $(seq 50); do
    [[ $status != ACTIVE ]] || return 0
    sleep 0.2
    made=$(curl -fsS "$address/v1/queue/ticket" -H "queue-token: $ticket")
    ticket=$(member queue_token "$ticket" <<<"$made")
    status=$(member status <<<"$made")
  done
  echo "nobody is let in: $made" >&2
  return 1
}

# One run of requests that have nothing to do with each other.
singly() {
  local name=$1
  shift
  run "$name" --phases examples,coverage,fuzzing "$@"
}

# Requests that lead to each other, while the stores are broken again and again.
broken() {
  scripts/faults.py "${FUZZ_SEED:-1}" >"$data/fuzz.faults" &
  faults=$!
  local failed=0 buying=()
  options=(--config-file "$here/schemathesis.toml")
  set -- --phases stateful --max-time "${FUZZ_BROKEN:-20}" --exclude-operation-id leave "$@"
  for operation in poll seat_layout hold find_hold release pay refund find_reservation; do
    buying+=(--include-operation-id "$operation")
  done
  run "from the seats to a refund, while stores are broken" "$@" "${buying[@]}" || failed=$?
  run "from anything to anything, while stores are broken" "$@" || failed=$?
  kill "$faults" || failed=1
  wait "$faults" || true
  faults=
  echo "faults:"
  sort "$data/fuzz.faults" | uniq -c
  return "$failed"
}

inside() {
  install
  serve
  local user token ticket schedule failed=0
  # The demo sale: schedules to find, and a line to be in.
  schedule=$("$ONSALE_BIN" seed | sed -n 's/^schedule \([0-9]*\) is on sale.*/\1/p')
  enter
  singly "a buyer, everywhere" -H "Authorization: Bearer $token" -H "Queue-Token: $ticket" || failed=$?
  # Before an administrator may close the line.
  enter
  token=$("$ONSALE_BIN" token --user "$user" --admin)
  singly "an administrator, in administration" -H "Authorization: Bearer $token" \
    --include-path-regex '^/v1/admin/' || failed=$?
  broken -H "Authorization: Bearer $token" -H "Queue-Token: $ticket" || failed=$?
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
