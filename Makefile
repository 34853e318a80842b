# OpenProctor: `make run` starts it, `make test` tests it. Both set everything up by themselves, once.
# `make help` lists the rest.

SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
# Pages are built again when a file of theirs comes, goes or changes; a folder's time tells of those that went.
web_sources = $(shell find web/$(1)/src web/$(1)/public web/$(1)/sdk 2>/dev/null) \
	$(wildcard web/$(1)/*.html web/$(1)/*.ts web/$(1)/*.json web/$(1)/*.mjs) web/package-lock.json \
	src/openproctor/catalog/events.json

.PHONY: help setup run test test-fast test-e2e test-faults lint format bench eval docs cluster lock browser clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

setup: $(BIN)/.installed web/node_modules/.installed src/openproctor/web/candidate/index.html src/openproctor/web/console/index.html ## Make .venv and build the pages (about 3 minutes, only the first time)

run: setup ## Start OpenProctor with a sample exam and print its links
	@exec $(BIN)/openproctor demo $(ARGS)

test: setup browser ## Every test, real browser included (9 to 14 minutes)
	@scripts/test.sh all

test-fast: setup ## Every test but those with a browser (4 to 7 minutes)
	@scripts/test.sh fast

test-e2e: setup browser ## Only the tests with a real browser (5 to 7 minutes)
	@scripts/test.sh e2e

test-faults: setup browser ## Kill, fill, cut and unset everything, many times over, and count what is lost (about 25 minutes)
	@scripts/test.sh faults

lint: setup ## Style, types, import directions; Python and TypeScript (about 1 minute)
	@scripts/lint.sh

format: setup ## Put Python and TypeScript into the common form
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format --quiet .
	@cd web && PATH="$(CURDIR)/$(BIN):$$PATH" npx --no-install --loglevel=error biome check --write .

bench: setup ## Measure what the documentation claims
	@$(BIN)/python -m benchmarks $(ARGS)

eval: setup ## Measure how well the analysis finds what is there, on held-back sittings (about 6 minutes)
	@$(BIN)/python -m benchmarks.evaluation.run $(ARGS)

docs: setup ## Write the generated pages of docs/ again
	@$(BIN)/python scripts/make_docs.py

cluster: setup ## Start PostgreSQL, NATS, SeaweedFS, two servers and two workers on this machine; Ctrl+C stops them
	@exec $(BIN)/python scripts/cluster.py $(ARGS)

lock: $(BIN)/.uv ## Lock the dependencies of pyproject.toml again, with hashes
	@scripts/lock.sh

browser:
	@$(BIN)/python scripts/ensure_browser.py

clean: ## Remove everything that setup made
	@rm -rf .venv web/node_modules web/*/node_modules src/openproctor/web build dist .mypy_cache .ruff_cache .pytest_cache
	@echo "Removed .venv, the built pages and the caches."

$(BIN)/.uv: requirements/bootstrap.txt scripts/make_venv.sh
	@scripts/make_venv.sh
	@touch $@

$(BIN)/.installed: $(BIN)/.uv requirements/dev.txt pyproject.toml
	@echo "• Installing the Python packages, checked against their hashes (1 to 3 minutes)"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --requirement requirements/dev.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-build-isolation --no-deps --editable .
	@touch $@

$(BIN)/.node: $(BIN)/.uv requirements/node.txt scripts/ensure_node.sh
	@scripts/ensure_node.sh
	@touch $@

web/node_modules/.installed: $(BIN)/.node web/package-lock.json
	@echo "• Installing the web packages (up to 1 minute)"
	@cd web && PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --no-audit --no-fund --loglevel=error
	@touch $@

src/openproctor/web/candidate/index.html: web/node_modules/.installed $(call web_sources,candidate)
	@echo "• Building the candidate's room (a few seconds)"
	@cd web/candidate && PATH="$(CURDIR)/$(BIN):$$PATH" npm run --silent build -- --logLevel warn
	@touch $@

src/openproctor/web/console/index.html: web/node_modules/.installed $(call web_sources,console)
	@echo "• Building the console (a few seconds)"
	@cd web/console && PATH="$(CURDIR)/$(BIN):$$PATH" npm run --silent build -- --logLevel warn
	@touch $@
