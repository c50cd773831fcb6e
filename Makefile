# Linekeeper. `make run` starts it, `make demo` shows it, `make test` checks everything.
# Needs Rust (rustup) and Node 20.19 or newer; what else is missing is installed or named.

PROFILE ?= dev
LISTEN  ?= 127.0.0.1:8787
DATA    ?= ./data

.DEFAULT_GOAL := help
.PHONY: help run demo build release test bench kill9 web contract fmt

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## Build and start on http://127.0.0.1:8787 with SQLite in ./data
	@cargo run --quiet --profile $(PROFILE) -p linekeeper -- serve --data-dir $(DATA) --listen $(LISTEN)

demo: build ## Build and start with live example traffic on throwaway data
	@cargo run --quiet --profile $(PROFILE) -p linekeeper -- demo --listen $(LISTEN)

build: web ## Build the web UI and the binary (PROFILE=release for an optimised one)
	cargo build --profile $(PROFILE) -p linekeeper

release: ## Build the optimised binary: target/release/linekeeper
	@$(MAKE) build PROFILE=release

test: ## Run every check (STAGES="fmt rust" for some of them)
	@scripts/test.sh $(STAGES)

bench: web ## Measure throughput and latency beside baselines (BENCH="--events 10000000")
	cargo build --release -p linekeeper
	cargo run --quiet --release -p xtask --features bench -- bench $(BENCH)

kill9: ## Kill the server twenty times under load; nothing acknowledged may be lost
	@scripts/need.sh web
	cargo build -p linekeeper
	@node scripts/kill9.mjs

web: ## Build the web UI into web/dist
	@scripts/need.sh web
	@scripts/npm-install.sh web
	@if [ ! -f web/dist/index.html ] || [ -n "$$(find web/src web/build web/public web/index.html web/package-lock.json web/vite.config.ts -newer web/dist/index.html -print 2>/dev/null | head -n 1)" ]; then cd web && npm run --silent build; fi

contract: ## Refresh web/openapi.json and the web client's types from the routes
	@scripts/npm-install.sh web
	@scripts/contract.sh

fmt: ## Format the Rust code
	cargo fmt --all
