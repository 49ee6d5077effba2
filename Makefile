# onsale: what there is to do. `make help` lists it.

# Servers that scripts/stores.sh could not install for the whole machine are linked in .onsale/bin.
export PATH := $(PATH):$(CURDIR)/.onsale/bin

# How `run` is built. `make run PROFILE=release` is several times faster under load, and takes
# several times as long to build.
PROFILE ?= dev
LISTEN ?= 127.0.0.1:8080

target := $(or $(CARGO_TARGET_DIR),target)
onsale := $(target)/$(if $(filter dev,$(PROFILE)),debug,$(PROFILE))/onsale

.DEFAULT_GOAL := help
.PHONY: help run test browser-test test-cluster chaos bench sqlx fmt deny fuzz clients loadtest

help: ## List the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

run: ## Build and serve at http://127.0.0.1:8080 (LISTEN=), on private stores kept in .onsale
	@scripts/stores.sh
	cargo build --locked --profile $(PROFILE)
	@exec env ONSALE_LISTEN=$(LISTEN) $(onsale) dev

test: ## Everything CI checks: format, lints, .sqlx, and the tests on throwaway stores
	@scripts/test.sh

browser-test: ## The pages in a real browser, in both languages, with screenshots (ARGS='wait draw': those files)
	@scripts/stores.sh
	@scripts/browser-test.sh $(ARGS)

test-cluster: ## The integration tests and chaos on a Redis Cluster, and what failovers are like (SOME=1: a choice)
	@scripts/test-cluster.sh $(if $(SOME),some)

chaos: ## Break things at random and prove that nothing is lost (SEED=1, SECONDS=60, SEEDS=1)
	@scripts/stores.sh
	@scripts/chaos.sh $(or $(SEED),1) $(or $(SECONDS),60) $(or $(SEEDS),1)

bench: ## Our paths beside their yardsticks, as ratios (ARGS='polls --rounds 5', see scripts/bench.sh)
	@scripts/bench.sh $(ARGS)

sqlx: ## Write .sqlx anew, after a change to a query or a migration
	@scripts/sqlx.sh

fmt: ## Format the sources
	cargo fmt

deny: ## Check the dependencies' licences, sources and advisories (fetches the advisory database)
	@command -v cargo-deny >/dev/null || cargo install --locked cargo-deny
	cargo deny --locked check

fuzz: ## Made-up bytes for every parser, made-up requests for every route (FUZZ_TARGET_SECONDS=, FUZZ_SEED=)
	@scripts/fuzz.sh
	@scripts/stores.sh
	@scripts/schemathesis.sh

clients: ## Check /openapi.json, and use clients that are generated from it against a service
	@scripts/stores.sh
	@scripts/clients.sh

loadtest: ## Load tests with k6, on throwaway stores (SCENARIO=rush, PROFILE as in loadtest/run.sh)
	@scripts/stores.sh
	@loadtest/run.sh $(SCENARIO)
