#!/bin/sh
# The part of run.sh that runs under `onsale dev --throwaway`. That has set DATABASE_URL, REDIS_URL,
# ONSALE_JWT_SECRET and ONSALE_QUEUE_SECRETS for stores that end with this script.
#
#   ONSALE_BIN=… K6=… sh loadtest/inside.sh scenario profile
#
# BEHIND_NGINX  if set, k6 calls the service through nginx (deploy/nginx)
set -eu

export PROFILE="$2"
export REPORT_DIR=${REPORT_DIR:-loadtest/report}
script=loadtest/$1.js
log=$REPORT_DIR/$1-$PROFILE.log
mkdir -p "$REPORT_DIR"

# Each buyer takes a connection on both sides.
ulimit -n "$(ulimit -H -n)" 2>/dev/null || true

users=$("$K6" inspect --include-system-env-vars "$script" | sed -n 's/^ *"users": *\([0-9]*\).*/\1/p')
[ -n "$users" ] || exit 2
"$ONSALE_BIN" migrate
"$ONSALE_BIN" seed --users "$users"   # users 1 to $users: FIRST_USER below

# The service could listen on port 0, but k6 needs the port before the service prints it.
free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])' 2>/dev/null ||
        echo $((20000 + $$ % 12000))
}
address=127.0.0.1:$(free_port)
ONSALE_LISTEN=$address ONSALE_LOG=${ONSALE_LOG:-warn} "$ONSALE_BIN" serve >"$log" 2>&1 &
serve=$!
trap 'kill -TERM $serve 2>/dev/null; wait $serve 2>/dev/null || true' EXIT
trap 'exit 130' INT TERM

# setup() waits for /readyz. A service that fails to start is reported here, without that wait.
sleep 1
if ! kill -0 $serve 2>/dev/null; then
    echo "loadtest: onsale serve failed to start:" >&2
    tail -n 20 "$log" >&2
    exit 1
fi

base=http://$address
if [ -n "${BEHIND_NGINX:-}" ]; then
    # Through nginx by deploy/nginx, with a certificate that k6 does not check.
    https=$(free_port)
    base=https://localhost:$https
    export K6_INSECURE_SKIP_TLS_VERIFY=true
    sh scripts/nginx.sh "$REPORT_DIR/nginx" "$https" "$(free_port)" "$address" &
    nginx=$!
    trap 'kill $nginx $serve 2>/dev/null; wait 2>/dev/null || true' EXIT
fi

result=0
BASE_URL=$base FIRST_USER=1 K6_NO_USAGE_REPORT=true "$K6" run --quiet "$script" || result=$?

if ! kill -0 $serve 2>/dev/null; then
    echo "loadtest: onsale serve ended during the test:" >&2
    tail -n 20 "$log" >&2
    exit 1
fi

# Check the sums again, directly in the database.
psql=$(command -v psql || ls -d /usr/lib/postgresql/*/bin/psql 2>/dev/null | tail -n 1)
if [ -n "$psql" ]; then
    differences=$("$psql" -X -A -t -q -v ON_ERROR_STOP=1 -d "$DATABASE_URL" -f loadtest/sums.sql)
    if [ -n "$differences" ]; then
        echo "loadtest: the sums in the database differ:" >&2
        echo "$differences" | head -n 20 >&2
        [ $result -ne 0 ] || result=1
    else
        echo "loadtest: the sums in the database agree"
    fi
else
    echo "loadtest: psql is missing, so the sums were checked only through the API"
fi
exit $result
