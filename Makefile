# `make serve` and `make test` do everything, even on a fresh machine. `make help` lists the rest.

PYTHON ?= python3
BIN := .venv/bin
COMPILE = $(BIN)/pip-compile --quiet --strip-extras --no-header --no-emit-index-url --no-emit-find-links --no-emit-trusted-host
NPM := $(shell command -v npm 2>/dev/null)
# Each process has its own databases; one that runs out of tests takes over half of another's.
SIDE_BY_SIDE := -n logical --maxprocesses 8 --dist worksteal
# Tests that inject faults or depend on timing have the machine to themselves.
BY_THEMSELVES := tests/faults tests/trust
WEB_SOURCES := $(shell find web -path web/node_modules -prune -o -path web/dist -prune -o -type f -print)

export PYTHONUNBUFFERED := 1

.DEFAULT_GOAL := help
# Where Python lacks ensurepip, it leaves a virtual environment without pip: do not keep that.
.DELETE_ON_ERROR:
.PHONY: help serve test check format bench bench-large bench-peers screenshots sdl lock clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

serve: .venv/runs web-if-node ## Serve the demo organization on SQLite, and print a sign-in link (PORT=8123 for another port)
	$(BIN)/python manage.py demo
	$(BIN)/python manage.py serve --sign-in-link

test: .venv/tests web-if-node ## Run all tests, on SQLite, on PostgreSQL, and in a browser
ifdef NPM
	cd web && npm test --silent
endif
	$(BIN)/pytest $(SIDE_BY_SIDE) $(addprefix --ignore=,$(BY_THEMSELVES))
	$(BIN)/pytest $(BY_THEMSELVES)

check: .venv/checks web-if-node ## Check formatting, lint, types, the SDL, and the house rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python manage.py sdl | diff schema/schema.graphql -
	$(BIN)/pytest tests/test_house.py
ifdef NPM
	cd web && npm run check --silent
endif

format: .venv/checks ## Format code and sort imports
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/tests ## Benchmark six operations against a plain server, on both databases
	$(BIN)/python -m bench

bench-large: .venv/tests ## Benchmark with 10,000 groups and a million memberships
	$(BIN)/python -m bench --large

bench-peers: .venv/tests bench/peers/node_modules/.installed ## Benchmark against PostGraphile, Mercurius and Apollo Server (needs Node)
	$(BIN)/python -m bench --database postgresql --peers

screenshots: .venv/tests web-if-node ## Take the screenshots for the README
	$(BIN)/python -m tests.browser.screenshots

sdl: .venv/runs ## Regenerate schema/schema.graphql
	$(BIN)/python manage.py sdl > schema/schema.graphql

lock: .venv/checks ## Pin all dependencies, including transitive ones
	$(COMPILE) -o requirements/runs.txt pyproject.toml
	$(COMPILE) --extra traces -c requirements/runs.txt -o requirements/traces.txt pyproject.toml
	$(COMPILE) --extra test --extra traces -c requirements/runs.txt -o requirements/tests.txt pyproject.toml
	$(COMPILE) --extra test --extra traces --extra dev -c requirements/tests.txt -o requirements/checks.txt pyproject.toml

clean: ## Remove installed packages and built files
	rm -rf .venv web/node_modules web/dist bench/peers/node_modules

# ------------------------------------------------------------------------------- prerequisites

.venv/bin/python:
	$(PYTHON) -m venv .venv

# One stamp file per set of requirements: runs, tests, checks.
.venv/%: requirements/%.txt .venv/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check -r $<
	touch $@

.PHONY: web-if-node
ifdef NPM
web-if-node: web/dist/.built
else
web-if-node:
	@echo "Node is not installed: the pages are not built, but the API works without them."
endif

%/node_modules/.installed: %/package-lock.json
	cd $* && npm ci --no-audit --no-fund --loglevel=error
	touch $@

web/dist/.built: web/node_modules/.installed $(WEB_SOURCES)
	cd web && npm run build --silent
	touch $@
