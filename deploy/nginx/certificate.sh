#!/bin/sh
# Makes a certificate for localhost that no browser trusts, to try the configuration out.
#
#   certificate.sh [folder]     (default: site, beside this script)
set -eu
folder=${1:-$(dirname "$0")/site}
fail() {
    echo "certificate.sh: $*" >&2
    exit 1
}
command -v openssl >/dev/null || fail "openssl is missing: install it first"
[ -d "$folder" ] || fail "$folder is not a folder"
umask 077
said=$(openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE \
    -keyout "$folder/certificate.key" -out "$folder/certificate.pem" 2>&1) || fail "openssl failed: $said"
chmod 644 "$folder/certificate.pem"
