# Python 3.11+ and make are all that a machine must have. Every target makes the pinned .venv it needs.
#   make demo    a user really created through gateway, queue, consumer and table on this machine
#   make test    lint, types, drift checks and all tests

PYTHON ?= python3
UV_VERSION := 0.13.9
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
STAGE ?= dev
CONTRACT ?= openapi.yaml
export UV_NO_PROGRESS := 1
export VIRTUAL_ENV := $(CURDIR)/$(VENV)

.PHONY: help setup demo serve test lint format generate docs synth deploy lock bench clean

help:
	@sed -n 's/^\(#   \)\{0,1\}\(make [a-z]*\)/\2/p' Makefile
	@echo "also: setup serve lint format generate docs synth deploy lock bench clean; CONTRIBUTING.md explains them"

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, and %s is %s. Name another: make PYTHON=python3.12 ..." % (sys.executable, sys.version.split()[0]))'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

# The demo needs the SDK and the local runtime; development needs everything.
$(VENV)/demo.installed: locks/demo.txt pyproject.toml | $(UV)
	@$(UV) pip install --quiet --require-hashes -r locks/demo.txt
	@$(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.installed: locks/dev.txt pyproject.toml | $(UV)
	@$(UV) pip install --quiet --require-hashes -r locks/dev.txt
	@$(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/demo.installed

setup: $(VENV)/dev.installed

demo: $(VENV)/demo.installed
	@$(BIN)/python -m scripts.demo

serve: $(VENV)/demo.installed
	@$(BIN)/python -m deploy.local

test: lint
	$(BIN)/python -m pytest -n 2 --dist worksteal

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m deploy.contract
	$(BIN)/python -m codegen --check

format: setup
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

generate: setup
	$(BIN)/python -m codegen

docs: setup
	$(BIN)/python -m scripts.docs

synth: setup
	$(BIN)/python -m deploy.app --contract $(CONTRACT)

# Pinned: the newest tag of the CDK's command reads older assemblies only.
deploy: setup
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/npx --yes aws-cdk@2.1148.1 deploy --all --context stage=$(STAGE) --context contract=$(CONTRACT) --app "$(BIN)/python -m deploy.app"

lock: $(UV)
	$(UV) pip compile --quiet pyproject.toml --extra local --extra deploy --group dev --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --output-file locks/dev.txt
	$(UV) pip compile --quiet pyproject.toml --extra local --group build --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --constraint locks/dev.txt --output-file locks/demo.txt

bench: setup
	$(BIN)/python -m benchmarks.roundtrip
	$(BIN)/python -m benchmarks.vtl
	$(BIN)/python -m benchmarks.gateway
	$(BIN)/python -m benchmarks.polling
	$(BIN)/python -m benchmarks.handles
	$(BIN)/python -m benchmarks.overhead
	$(BIN)/python -m benchmarks.import_time
	$(BIN)/python -m benchmarks.exactly_once
	$(BIN)/python -m benchmarks.generator

clean:
	rm -rf $(VENV) build dist cdk.out .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
