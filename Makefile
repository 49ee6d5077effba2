# The tasks of onsale. `make help` lists them.

# scripts/stores.sh links servers in .onsale/bin if it cannot install them for the whole machine.
export PATH := $(PATH):$(CURDIR)/.onsale/bin

# The build profile of `run`. `make run PROFILE=release` is several times faster under load, and takes
# several times as long to build.
PROFILE ?= dev
LISTEN ?= 127.0.0.1:8080

target := $(or $(CARGO_TARGET_DIR),target)
onsale := $(target)/$(if $(filter dev,$(PROFILE)),debug,$(PROFILE))/onsale

.DEFAULT_GOAL := help
.PHONY: help run test check-scripts check-deploy browser-test test-cluster chaos bench sqlx fmt deny fuzz clients types loadtest

help: ## List the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

run: ## Build and serve at http://127.0.0.1:8080 (LISTEN=), on private stores in .onsale
	@scripts/stores.sh
	cargo build --locked --profile $(PROFILE) $(if $(filter dev,$(PROFILE)),--bin onsale --test tidy)
	@exec env ONSALE_LISTEN=$(LISTEN) $(onsale) dev

test: ## Check format, lints and .sqlx, and run the tests on throwaway stores
	@scripts/test.sh

browser-test: ## Test the pages in a real browser, with screenshots (ARGS='wait draw': only these files)
	@scripts/stores.sh
	@scripts/browser-test.sh $(ARGS)

test-cluster: ## Run the integration, failover and chaos tests on a Redis Cluster (SOME=1: a selection)
	@scripts/test-cluster.sh $(if $(SOME),some)

chaos: ## Inject random faults and check that nothing is lost (SEED=1, SECONDS=60, SEEDS=1)
	@scripts/stores.sh
	@scripts/chaos.sh $(or $(SEED),1) $(or $(SECONDS),60) $(or $(SEEDS),1)

bench: ## Compare onsale's paths with yardsticks (ARGS='polls --rounds 5', see scripts/bench.sh)
	@scripts/bench.sh $(ARGS)

sqlx: ## Write .sqlx again, after a change to a query or a migration
	@scripts/sqlx.sh

fmt: ## Format the sources (scripts, styles and Python too, if node and python3 are installed)
	cargo fmt --all
	@! command -v npm >/dev/null || { scripts/npm.sh && npm run --silent format; }
	@! command -v python3 >/dev/null || scripts/check-py.sh --fix

check-scripts: ## Check format and types of the scripts and styles, and the Python files
	@scripts/check-js.sh
	@scripts/check-py.sh

check-deploy: ## Check docker-compose.yml and deploy/ with compose, Kustomize, Kubernetes' schemas and systemd
	@scripts/check-deploy.sh

deny: ## Check the dependencies' licences, sources and advisories (fetches the advisory database)
	@scripts/deny.sh

fuzz: ## Fuzz all parsers with bytes and all routes with requests (FUZZ_TARGET_SECONDS=, FUZZ_SEED=)
	@scripts/fuzz.sh
	@scripts/stores.sh
	@scripts/schemathesis.sh

clients: ## Check /openapi.json, and test generated clients against a service
	@scripts/stores.sh
	@scripts/clients.sh

types: ## Write the pages' types (web/js/onsale/schemas.d.ts) again, after a change to the API
	@scripts/stores.sh
	@scripts/clients.sh types

loadtest: ## Run load tests with k6 on throwaway stores (SCENARIO=rush, PROFILE as in loadtest/run.sh)
	@scripts/stores.sh
	@loadtest/run.sh $(SCENARIO)
