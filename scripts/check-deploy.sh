#!/usr/bin/env bash
# Checks docker-compose.yml, deploy/kubernetes and deploy/systemd with the programs that read them: docker
# compose, Kustomize and Kubernetes' schemas, systemd-analyze. Starts no service. What is missing is installed
# if it can be; a check whose program is missing fails. (tests/onsale/deploy runs nginx and HAProxy.)
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
docker compose version >/dev/null 2>&1 || command -v docker-compose >/dev/null || missing+=(docker-compose)
command -v systemd-analyze >/dev/null || missing+=(systemd)
python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
if ((${#missing[@]})) && command -v apt-get >/dev/null; then
  as_root=()
  ((EUID == 0)) || as_root=(sudo -n)
  echo "check-deploy: installing with apt: ${missing[*]}" >&2
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

# Other versions of the packages get another folder.
requirements=tests/deploy/requirements.txt
venv=.onsale/deploy-$(cksum <$requirements | cut -d ' ' -f 1)
if [[ ! -e $venv/installed ]]; then
  rm -rf "$venv"
  mkdir -p .onsale
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check -r $requirements
  touch "$venv/installed"
fi
exec "$venv/bin/python" -B -m unittest discover --start-directory tests/deploy --quiet
