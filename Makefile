# `make setup` once, then `make test` or `make check`; `make help` lists the rest.
PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: --no-compile

.PHONY: help setup demo test check lint types imports format contracts lock bench kafka clean

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
	$(BIN)/pytest

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

kafka: setup ## start Apache Kafka on 127.0.0.1:9092 by Maven, until Ctrl-C
	@exec $(BIN)/python deploy/kafka/run.py --port 9092

clean: ## remove what was built
	rm -rf .venv .kafka .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
