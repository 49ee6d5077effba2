#!/bin/sh
# Makes a certificate for localhost that no browser trusts, to try the configuration out.
#
#   certificate.sh [folder]     (default: site, beside this script)
set -eu
folder=${1:-$(dirname "$0")/site}
umask 077
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE \
    -keyout "$folder/certificate.key" -out "$folder/certificate.pem" 2>/dev/null
chmod 644 "$folder/certificate.pem"
