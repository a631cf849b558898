# `make setup` once, then `make test` or `make check`; `make help` lists the rest.
PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: --no-compile

.PHONY: help setup demo test check lint types imports format contracts lock bench chaos soak fuzz audit kafka clean

help: ## what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 12

setup: .venv/ready ## build .venv with the `rekindle` command, and all that tests and checks need

.venv/runs: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' \
	  || { echo "Rekindle needs Python 3.11 to 3.14: make setup PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv
	$(INSTALL) -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

.venv/ready: .venv/runs requirements-dev.lock
	$(INSTALL) -r requirements-dev.lock
	@touch $@

demo: .venv/runs ## a year of a shop, live: broker, store, worker, web page; Ctrl-C ends it
	$(BIN)/rekindle demo

test: setup ## every test that can run on this machine
	$(BIN)/pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

check: lint types imports test ## everything that CI checks

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

imports: setup
	$(BIN)/lint-imports

format: setup ## let ruff format and fix what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

contracts: setup ## write docs/contracts from the structs
	$(BIN)/python -m schemas.contracts docs/contracts
	$(BIN)/python -m app.api.openapi docs/contracts/openapi.json
	$(BIN)/python -m app.rules_docs docs/rules.md
	$(BIN)/python -m app.churn_docs docs/churn.md
	$(BIN)/python -m app.recall_docs docs/recall.md
	$(BIN)/python -m app.metrics_docs docs/metrics.md

lock: ## pin every dependency anew, with hashes
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/pip install --quiet --disable-pip-version-check uv
	$(LOCK) --extra install --upgrade -o requirements.lock
	$(LOCK) --extra install --extra dev -c requirements.lock -o requirements-dev.lock
	rm -rf .venv-lock

LOCK := .venv-lock/bin/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header \
	--no-annotate --no-emit-index-url --no-emit-find-links --quiet

bench: setup ## measure the hot path, a million-event backtest, a whole worker, a restore (needs Java)
	$(BIN)/python -m bench.decode
	$(BIN)/python -m bench.fold
	$(BIN)/python -m bench.backtest
	$(BIN)/python -m bench.throughput
	$(BIN)/python -m bench.restore
	$(BIN)/python -m bench.scale
	$(BIN)/python -m bench.read_model

SECONDS ?= 600
SEEDS ?= 1 2 3 4 5
chaos: setup ## a system under 21 faults, five times over (SEEDS="7 8" chooses others): half an hour; needs Java and Redis
	$(BIN)/python -m tests.chaos --seed $(SEEDS)

soak: setup ## half the maximum rate for twenty minutes, with a plot (needs Java)
	$(BIN)/python -m bench.soak

fuzz: setup ## feed every parser with damaged input for ten minutes (SECONDS=60: for one)
	$(BIN)/python -m tests.fuzz --seconds $(SECONDS)

audit: ## ask for known vulnerabilities of all that is locked (needs the network)
	$(PYTHON) -m venv .venv-audit
	.venv-audit/bin/pip install --quiet --disable-pip-version-check pip-audit
	@.venv-audit/bin/pip-audit --strict --requirement requirements-dev.lock --require-hashes --disable-pip --progress-spinner off \
	  || { echo "not clean. Where a package was \"not found\" or nothing answered, nothing was audited: ask where PyPI's API can be reached"; exit 1; }
	rm -rf .venv-audit

kafka: setup ## start Apache Kafka on 127.0.0.1:9092 by Maven, until Ctrl-C
	@exec $(BIN)/python deploy/kafka/run.py --port 9092

clean: ## remove what was built
	rm -rf .venv .venv-audit .kafka .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
