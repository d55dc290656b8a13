# The front door. `make help` says what stands behind it.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.set-up
# Drydock is no model: what asks for a pipeline, an artefact or a scoring service does not apply.
FAMILIES := repository documentation layout packaging style modularity types tests ci security

.PHONY: help setup lock demo test lint types standards contracts format bench load queue order docs pictures check clean

help: ## List what can be done
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: $(STAMP) ## Set everything up, into .venv

$(STAMP): pyproject.toml bootstrap.lock requirements.lock grader/environments/standard.lock grader/environments/lessons.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Drydock needs Python 3.11 or newer; name one with: make $(MAKECMDGOALS) PYTHON=/path/to/python3"; exit 2; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV) || { echo "Python's venv module is missing; on Debian and Ubuntu: apt-get install python3-venv"; exit 2; }
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r bootstrap.lock
	$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	$(BIN)/drydock environment build
	$(BIN)/drydock environment build lessons
	@touch $@

lock: ## Renew the locks: the installer's, Drydock's own and the submissions' environment
	echo uv | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate - -o bootstrap.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --extra dev pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate grader/environments/standard.in -o grader/environments/standard.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -c grader/environments/standard.lock grader/environments/lessons.in -o grader/environments/lessons.lock

demo: setup ## The portal at http://127.0.0.1:8501, with a made-up event that is really graded
	$(BIN)/drydock serve --demo --data results/demo

test: setup ## Run all tests
	@$(BIN)/python -m tests.support.provide
	$(BIN)/pytest -n auto --dist=worksteal

lint: setup ## Check style and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: setup ## Format the code
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

types: setup ## Check types
	$(BIN)/mypy

standards: setup ## Hold Drydock to its own standards, those of them that apply
	$(BIN)/drydock standards . --working-tree --grant-waivers --package grader \
	    $(addprefix --without ,challenges starter_kits tests/integration/standards/gaming) $(addprefix --family ,$(FAMILIES))

contracts: setup ## Check which way the parts depend on each other
	$(BIN)/lint-imports

bench: setup ## Measure how fast submissions and lessons are graded, side by side
	$(BIN)/python tests/bench/grading.py
	$(BIN)/python -m tests.bench.lessons

load: setup ## Measure how a portal bears 200 browsers at once
	$(BIN)/python -m tests.bench.load

queue: setup ## Measure how fast and how fairly a queue of 2,000 empties
	$(BIN)/python -m tests.bench.queue

order: setup ## Order a folder of repositories by the standards: make order REPOSITORIES=folder
	$(BIN)/python tests/reality/order.py $(REPOSITORIES)

pictures: setup ## Take the README's pictures of the demonstration
	@$(BIN)/python -m tests.support.provide
	$(BIN)/python -m tests.browser.pictures

docs: setup ## Write the generated pages of docs/
	$(BIN)/python -m portal.docs

check: lint types contracts standards test ## Lint, types, contracts, own standards and tests

clean: ## Remove the set-up
	rm -rf $(VENV)
