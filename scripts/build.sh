#!/bin/sh
# Builds target/debug/onsale with the dependency features that the tests need too. Without a test
# target, Cargo leaves out the features of the dev-dependencies, and all dependencies would be compiled
# twice: once for the binary and once for the tests.
set -eu
cd "$(dirname "$0")/.."
exec cargo build --locked --quiet --bin onsale --test tidy
