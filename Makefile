# `make` alone lists the targets. Everything is made inside this folder; `make peers` alone installs system packages.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup run test check fix sweep peers bench lock wheel clean

LOCKS := requirements.lock requirements-build.lock requirements-dev.lock pyproject.toml scripts/setup
BIN := .venv/bin
# Tests wait for programs a good part of their time: one more at once than there are cores.
PYTEST := $(BIN)/pytest -q -n $(shell expr $$(nproc) + 1)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

.venv/.run: $(LOCKS)
	@scripts/setup run

.venv/.all: $(LOCKS)
	@scripts/setup all

setup: .venv/.all ## make .venv with all that running, testing and checking need (again only when pins change)

run: .venv/.run ## play the whole story in ./var/demo, then stay up (ARGS="…" goes to gateway demo)
	@scripts/provider || true
	@$(BIN)/gateway demo $(ARGS)

test: .venv/.all ## run the tests; those of a peer that is absent are skipped and say so
	@$(PYTEST) $(ARGS) || scripts/again $$? $(BIN)/pytest -q

check: .venv/.all ## lint, format, types, imports, style
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -q tests/style

fix: .venv/.all ## let ruff repair and format what it can
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

sweep: .venv/.all ## kill at every failpoint, every fault, fuzzing: long
	@SWEEP=all $(PYTEST) $(ARGS)

peers: ## install the servers, mail tools and browser that tests talk to (Debian, root)
	@scripts/peers

bench: .venv/.all ## print the table of benchmarks
	@if [ -d benchmarks ]; then $(BIN)/python -m benchmarks $(ARGS); else echo "bench: there is no folder benchmarks/"; fi

lock: .venv/.all ## write the hash-locked pins anew (UPGRADE=1: newest versions)
	@scripts/lock

wheel: .venv/.all ## build dist/*.whl
	@$(BIN)/python -m hatchling build -t wheel

clean: ## delete the demo's data and caches (.venv stays: rm -r .venv deletes it)
	@for path in var dist build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage; do \
		if [ -e "$$path" ]; then echo "clean: deleting $$path"; rm -rf -- "$$path"; fi; \
	done
	@find . -path ./.venv -prune -o -path ./.git -prune -o -name __pycache__ -type d -print0 | xargs -0 rm -rf
