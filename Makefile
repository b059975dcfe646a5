# Everything a developer runs. `make` alone lists it.
PYTHON ?= python3
UV ?= uv
VENV := .venv
BIN := $(VENV)/bin
RUNS := $(VENV)/installed-to-run
TESTS := $(VENV)/installed-to-test
PYTEST := $(BIN)/pytest -n auto --maxprocesses 4 --dist loadfile
PIP := $(BIN)/python -m pip install --disable-pip-version-check --no-input --require-hashes --no-deps --progress-bar off

.DEFAULT_GOAL := help
.PHONY: help run test check lint types contract lifecycles fuzz migrate revision bench lock clean
.DELETE_ON_ERROR:

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# Each of these is one simple command, so that make starts it without a shell between and signals reach it.
run: export ENVIRONMENT ?= development
run: $(RUNS) ## PostgreSQL, the four services and the gateway (GATEWAY_PORT, DATA_DIR, SEED, DATABASE_URL)
	@$(BIN)/python -m tools.stack --under-make

test: $(TESTS) ## every test, on a real PostgreSQL (ARGS="tests/pledges -k summary")
	@$(PYTEST) $(ARGS)

check: lint types contract test fuzz ## all that must hold before a change is merged

lint: $(TESTS) ## style, imports between the parts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports

types: $(TESTS) ## mypy, strict
	@$(BIN)/mypy

lifecycles: $(RUNS) ## docs/lifecycles.md, from the services' tables
	@$(BIN)/python -m tools.lifecycles

contract: $(TESTS) ## whether gateway/openapi.json is what the services say
	@$(BIN)/python -m tools.contract --check

fuzz: $(TESTS) ## requests nobody thought of, to a platform of its own, held against the contract
	@$(BIN)/python -m tests.contract.fuzz $(ARGS)

migrate: $(RUNS) ## roles, schemas and migrations of the database at DATABASE_URL
	@$(BIN)/python -m tools.database
	@$(BIN)/python -m tools.migrate

revision: $(TESTS) ## a new migration from the models (SERVICE=pledges MESSAGE="what it does")
	@$(BIN)/python -m tools.revision "$(SERVICE)" "$(MESSAGE)"

bench: $(TESTS) ## measure (ARGS to choose what)
	@$(BIN)/python -m tools.bench $(ARGS)

lock: ## renew the locks from requirements*.in (needs uv)
	$(UV) pip compile --universal --python-version 3.11 --generate-hashes --upgrade --no-header \
		--no-emit-index-url --no-emit-find-links --quiet requirements.in -o requirements.lock
	$(UV) pip compile --universal --python-version 3.11 --generate-hashes --upgrade --no-header \
		--no-emit-index-url --no-emit-find-links --quiet requirements-dev.in -c requirements.lock -o requirements-dev.lock
	for name in schemathesis clients calendar-clients; do \
		$(UV) pip compile --universal --python-version 3.11 --generate-hashes --upgrade --no-header \
			--no-emit-index-url --no-emit-find-links --quiet requirements-$$name.in -o requirements-$$name.lock || exit; \
	done

clean: ## remove the environment and the caches; the data folder stays
	rm -rf $(VENV) $(VENV)-* node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find shared services gateway tools tests -name __pycache__ -prune -exec rm -rf {} +

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version 2>&1). Name another: make PYTHON=python3.12"; exit 1; }
	@echo "Making the environment $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)

$(RUNS): requirements.lock | $(BIN)/pip
	@echo "Installing $$(grep -c '^[a-z]' $<) packages from $<: half a minute where they must be fetched"
	@$(PIP) -r $<
	@touch $@

$(TESTS): requirements-dev.lock | $(BIN)/pip
	@echo "Installing $$(grep -c '^[a-z]' $<) packages from $<: a minute where they must be fetched"
	@$(PIP) -r $<
	@touch $(RUNS) $@
