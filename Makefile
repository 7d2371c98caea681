# Everything a developer does, one command a job. `make` alone lists the jobs.
# Only Python 3.11, 3.12 or 3.13 (with venv) and make are needed beforehand.

.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.stamp

# The first interpreter that runs, is of a supported version and can make a virtual environment.
# 3.11 comes first because constraints.txt was resolved on it. `make setup PYTHON=...` overrides.
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3 python; do \
	$$python -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' \
	2> /dev/null && echo $$python && break; done)

# The versions that `make test-versions` tries; each is looked for on PATH and in pyenv.
VERSIONS ?= 3.12 3.13

.PHONY: help setup demo test test-slow bench evidence docs lint test-versions

help:  ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: $(STAMP)  ## build .venv with every extra; does nothing when nothing changed

$(STAMP): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "No Python 3.11, 3.12 or 3.13 with the venv module was found" \
		"on PATH: install one, or name it with 'make setup PYTHON=/path/to/python'." >&2; exit 1; }
	@echo "Building $(VENV) with $(PYTHON); this takes a few minutes the first time."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet \
		-c constraints.txt -e ".[all,dev]"
	@touch $(STAMP)

demo: setup  ## the main job on scikit-learn's digits, ending in a report
	$(BIN)/python demo/digits.py

# A worker a core, of one thread each: most tests are small, and threads would only contend.
test: setup  ## the tests, without those that take minutes
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --maxprocesses 8 --dist worksteal

test-slow: setup  ## only the tests that take minutes
	$(BIN)/python -m pytest -m slow

bench: setup  ## the benchmark table, as ratios
	$(BIN)/python -m benchmarks

evidence: setup  ## the tables of docs/guide/crossing.md, from real runs (about 10 minutes)
	$(BIN)/python -m benchmarks.evidence_crossing

# -E reads every page anew: a warning of an unchanged page would otherwise be given only once.
docs: setup  ## the documentation in docs/_build/html; a warning is an error
	$(BIN)/python -m sphinx -E -W --keep-going -n -q -b html docs docs/_build/html
	@echo "docs: docs/_build/html/index.html"

lint: setup  ## ruff and pyright
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyright

test-versions: setup  ## the tests on Python 3.12 and 3.13, without torch, in throw-away venvs
	.ci/test-versions $(VERSIONS)
