#!/bin/sh
# Runs nginx in the foreground by deploy/nginx, on loopback ports, for tests. Only paths, ports, the processes
# and the certificate are replaced, and the log is not buffered. SIGHUP reads the files in FOLDER again; SIGTERM ends it.
#
#   scripts/nginx.sh FOLDER HTTPS_PORT HTTP_PORT SERVER…
#
# FOLDER is created, and has access.log, and error.log with what nginx says about itself. Each SERVER is the
# address of a process, host:port.
set -eu
source=$(cd "$(dirname "$0")/../deploy/nginx" && pwd)
[ $# -ge 4 ] || { sed -n 's/^# \{0,1\}//; 2,8p' "$0" >&2; exit 2; }
folder=$1 https=$2 http=$3
shift 3

mkdir -p "$folder"
cp -R "$source/." "$folder"
folder=$(cd "$folder" && pwd)
sh "$folder/certificate.sh"
options=$(sed -n 's/^server [^ ]* //p' "$folder/site/servers.conf" | head -n 1)
printf "server %s $options\n" "$@" >"$folder/site/servers.conf"

# edit FILE COMMAND…: fails if a command of sed changes nothing, so that a test never runs another file.
edit() {
    file=$folder/$1
    shift
    for command in "$@"; do
        sed "$command" "$file" >"$file.new"
        ! cmp -s "$file" "$file.new" || { echo "nginx.sh: \"$command\" changes nothing" >&2; exit 1; }
        mv "$file.new" "$file"
    done
}
# Only root can write where nginx's package does.
temporary=
for name in client_body proxy fastcgi uwsgi scgi; do temporary="$temporary ${name}_temp_path $folder/$name;"; done
edit nginx.conf "s|/run/|$folder/|" "s|/var/log/nginx/|$folder/|" "s|^http {|http {$temporary|" \
    's/worker_processes auto/worker_processes 1/' 's/131072/8192/' 's/65536/4096/'
edit onsale.conf "s|/var/log/nginx/|$folder/|" "s/listen 443 /listen 127.0.0.1:$https /" \
    "s/listen 80\\([ ;]\\)/listen 127.0.0.1:$http\\1/" '/listen \[::\]/d' \
    's/ buffer=64k flush=1s//'

PATH=$PATH:/usr/sbin
exec nginx -p "$folder" -c "$folder/nginx.conf" -e stderr -g 'daemon off;'
