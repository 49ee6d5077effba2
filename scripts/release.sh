#!/usr/bin/env bash
# Builds the files of a release from its tag: the binary, the licences of what it contains, the SBOM
# (CycloneDX), an archive of these, and checksums. docs/RELEASING.md has the steps around it.
#
#   scripts/release.sh VERSION [PROFILE]
#
# PROFILE is Cargo's: release by default. The files are in target/release-VERSION.
set -euo pipefail
cd "$(dirname "$0")/.."

version=${1:-} profile=${2:-release}
fail() {
  echo "release: $*" >&2
  exit 1
}

[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[a-z0-9.]+)?$ ]] || fail "usage: scripts/release.sh VERSION, such as 1.2.3"
has() { grep -qxF -- "$2" "$1" || fail "$1 has no line \"$2\""; }
has Cargo.toml "version = \"$version\""
has CHANGELOG.md "## $version"
has deploy/kubernetes/kustomization.yaml "    newTag: $version"
for lock in Cargo.lock fuzz/Cargo.lock; do
  grep -A 1 -xF 'name = "onsale"' "$lock" | grep -qxF "version = \"$version\"" ||
    fail "$lock has another version of onsale: run \`cargo check\` in its folder"
done
[[ -z $(git status --porcelain) ]] || fail "the work tree has changes"
git tag --points-at HEAD | grep -qxF "v$version" || fail "HEAD is not the tag v$version"

target=${CARGO_TARGET_DIR:-target}
folder=$target/release-$version
name=onsale-$version-$(rustc -vV | sed -n 's/^host: //p')
rm -rf "$folder"
mkdir -p "$folder/$name"

# As in the Dockerfile: the versions of Cargo.lock, and no private servers.
cargo build --locked --profile "$profile" --no-default-features --bin onsale
cp "$target/${profile/#dev/debug}/onsale" LICENSE-APACHE LICENSE-MIT README.md CHANGELOG.md "$folder/$name"
cp web/vendor/uplot/LICENSE "$folder/$name/uPlot-LICENSE"
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
scripts/notices.py --licences "$folder/$name/third-party.txt" --sbom "$folder/$name.cdx.json"
git diff --quiet || fail "the build has changed files: $(git status --porcelain)"

# The same bytes for the same content.
tar --create --gzip --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner \
  --directory "$folder" --file "$folder/$name.tar.gz" "$name"
rm -rf "${folder:?}/$name"
(cd "$folder" && sha256sum -- * >SHA256SUMS)
ls -l "$folder"
