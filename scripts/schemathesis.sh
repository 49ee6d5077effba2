#!/usr/bin/env bash
# Tests the service against its own description. It generates valid and invalid requests from
# /openapi.json. Each answer has to match the description, and must not be a 500. First the requests are
# independent. Then they follow the links of the description, while faults are injected into the stores.
#
# usage: scripts/schemathesis.sh
#
# Runs on private stores that `onsale dev --throwaway` starts and stops. The exit code is not 0 if a check
# failed. Settings, all optional:
#   ONSALE_BIN       the binary to test (default: a debug build of this checkout)
#   ONSALE_DATA      the folder for the installed tool and the reports (default: .onsale)
#   FUZZ_EXAMPLES    generated requests per operation and run (default: 25)
#   FUZZ_SEED        the seed of the requests, to repeat a run (default: random; each run prints its seed)
#   FUZZ_SECONDS     longest duration of each run, in seconds (default: 85)
#   FUZZ_BROKEN      duration of each of the two runs with faults, in seconds; less than FUZZ_SECONDS
#                    (default: 20)
set -euo pipefail

VERSION=4.32.5
cd "$(dirname "$0")/.."
mkdir -p "${ONSALE_DATA:=.onsale}"
data=$(cd "$ONSALE_DATA" && pwd)
here=$PWD/scripts options=()

# Installs the tool once.
install() {
  local venv="$data/schemathesis-$VERSION"
  if [[ ! -x $venv/bin/schemathesis ]]; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check "schemathesis==$VERSION"
  fi
  schemathesis=$venv/bin/schemathesis
}

# Prints a member of the JSON object on standard input, or else the second argument.
member() {
  python3 -c 'import json, sys; data, name, *other = json.load(sys.stdin), *sys.argv[1:]
print(data.get(name, *other) if other else data[name])' "$@"
}

# Starts the service on the stores in the environment. Sets `address`.
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

# Runs schemathesis once. Arguments: a name, and more options. Streams are excluded, because their answers
# do not end. Output lines are cut, because generated values may be very long.
run() {
  local name=$1
  shift
  echo "== $name"
  # Run in the data folder, since the tool writes files into its current folder.
  env -C "$data" timeout --signal=INT "${FUZZ_SECONDS:-85}" "$schemathesis" "${options[@]}" run "$address/openapi.json" \
    --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance \
    --max-examples "${FUZZ_EXAMPLES:-25}" --workers 1 \
    --exclude-path-regex '/stream$' --request-timeout 10 --no-color --generation-database none \
    ${FUZZ_SEED:+--seed "$FUZZ_SEED"} "$@" | cut -c 1-400
}

# Creates a user with points and an active slot in $schedule. Sets `user`, `token` and `ticket`.
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
  echo "the user was not admitted within 10 s: $made" >&2
  return 1
}

# Runs independent requests.
singly() {
  local name=$1
  shift
  run "$name" --phases examples,coverage,fuzzing "$@"
}

# Runs requests that follow each other's links, while faults are injected into the stores.
broken() {
  scripts/faults.py "${FUZZ_SEED:-1}" >"$data/fuzz.faults" &
  faults=$!
  local failed=0 buying=()
  options=(--config-file "$here/schemathesis.toml")
  set -- --phases stateful --max-time "${FUZZ_BROKEN:-20}" --exclude-operation-id leave "$@"
  for operation in poll seat_layout hold find_hold release pay refund find_reservation; do
    buying+=(--include-operation-id "$operation")
  done
  run "from the seats to a refund, with faults in the stores" "$@" "${buying[@]}" || failed=$?
  run "from any operation to any other, with faults in the stores" "$@" || failed=$?
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
  # The demo sale has schedules and a queue for the requests.
  schedule=$("$ONSALE_BIN" seed | sed -n 's/^schedule \([0-9]*\) is on sale.*/\1/p')
  enter
  singly "as a buyer, all operations" -H "Authorization: Bearer $token" -H "Queue-Token: $ticket" || failed=$?
  # Join now, since the administrator's requests may close the queue.
  enter
  token=$("$ONSALE_BIN" token --user "$user" --admin)
  singly "as an administrator, administration only" -H "Authorization: Bearer $token" \
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
    scripts/build.sh
    ONSALE_BIN=$(cargo metadata --format-version 1 --no-deps | member target_directory)/debug/onsale
  fi
  export ONSALE_BIN ONSALE_UNSAFE_POSTGRES=true
  exec "$ONSALE_BIN" dev --throwaway -- "$PWD/scripts/schemathesis.sh" inside
fi
