# The only entry point. Every target sets up what it needs: the first one makes .venv, and the first that needs
# a real ComfyUI fetches one (see CONTRIBUTING.md). Two of them may run at once, in one clone or in several.

PYTHON ?= python3
ARGS ?=
MINUTES ?= 10

BIN := .venv/bin
STAMP := .venv/.stamp
# Two makes in one clone must not fill one .venv; without flock (macOS) they have to take turns by themselves.
LOCK := $(if $(shell command -v flock),flock .venv.lock)
# The tests of a file run in one process, one after another; ARGS='-n 0' runs all of them so.
PYTEST := $(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

# The tests start many a program of ours: what Python compiles is kept for the next one.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test check lint format types cover docs bench soak parity comfyui programs build clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(STAMP) ## Run a workflow on the embedded server (on yours with COMFYUI_URL=http://host:port)
	@$(BIN)/python docs/examples/demo.py

test: $(STAMP) comfyui programs ## Run every test, with a real ComfyUI; ARGS='-k name' goes to pytest
	@$(PYTEST) $(ARGS)

check: lint types test ## Lint, types and tests

lint: $(STAMP) ## Check style (ruff, every rule) and formatting
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: $(STAMP) ## Fix what ruff can fix, and format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

types: $(STAMP) ## Check types (mypy strict)
	@$(BIN)/mypy

cover: $(STAMP) comfyui programs ## Run every test and require 95 % of the branches
	@$(PYTEST) --cov --cov-report=term-missing $(ARGS)

docs: $(STAMP) ## Build the documentation into docs/_build/html
	@$(BIN)/sphinx-build --nitpicky --fail-on-warning --keep-going --quiet docs docs/_build/html
	@echo "docs/_build/html/index.html"

bench: $(STAMP) comfyui ## Measure against the performance targets
	@$(BIN)/python -m tests.benchmarks $(ARGS)

soak: $(STAMP) ## Run jobs under random faults for MINUTES=10, and print the ledger
	@$(BIN)/python -W ignore -m tests.faults soak --minutes $(MINUTES) $(ARGS)

parity: $(STAMP) comfyui ## Compare what becomes of the editor's files with what the editor itself exports
	@$(BIN)/python -m tests.editor parity

comfyui: ## Fetch a real ComfyUI into the cache, once (none with COMFYUI_URL or COMFYUI_PATH)
	@$(PYTHON) -m tests.comfyui.provision

programs: ## Install nginx and Chromium from Debian, for the tests that want them (where there are root and apt)
	@$(PYTHON) -m tests.programs

build: $(STAMP) ## Build sdist and wheel into dist
	@$(BIN)/python -m build

clean: ## Remove everything that make made here (not the ComfyUI in the cache)
	rm -rf .venv .venv.lock build dist docs/_build htmlcov .coverage .coverage.* *.egg-info \
		.hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Whoever waited for the lock finds the work done. The stamp takes its time from the start, so that an edit during
# the installation counts as a later one. pip is upgraded first, since dependency groups need 25.1.
$(STAMP): pyproject.toml setup.cfg
	@$(LOCK) sh -ec ' \
		if [ $@ -nt pyproject.toml ] && [ $@ -nt setup.cfg ]; then exit 0; fi; \
		echo "Setting up .venv (about a minute the first time)"; \
		$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv; \
		touch $@.new; \
		$(BIN)/python -m pip install -qq --upgrade "pip>=25.1"; \
		$(BIN)/python -m pip install -qq --editable . --group dev; \
		mv $@.new $@'
