# Bellwether: the front door. `make help` lists what there is.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
DATA   ?=
STUDY  ?=

# One BLAS thread a worker: no last digit may depend on the number of cores.
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1
export MKL_NUM_THREADS := 1

.DEFAULT_GOAL := help
.PHONY: help report data test check verify bench calibrate quarto lock clean

help: ## List the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'
	@echo
	@echo "  make report DATA=folder             a report on your own CSV files"
	@echo "  make report STUDY=data/studies/x.toml   another study"

report: $(READY) ## Run the study and build the report (HTML and PDF)
	@$(BIN)/bellwether report $(if $(DATA),--data "$(DATA)") $(if $(STUDY),--study "$(STUDY)")

data: $(READY) ## Freeze a fresh snapshot from the keyless public sources
	@$(BIN)/bellwether data

test: $(READY) ## Run the tests
	@$(BIN)/python -m pytest -n 2 --dist loadfile

check: $(READY) ## Lint, types, import contracts, docstrings (writes nothing)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

verify: $(READY) ## Build twice, compare bytes; re-hash every published version
	@$(BIN)/bellwether verify --rebuild

bench: $(READY) ## Measure speed against peers, side by side
	@$(BIN)/python -m benchmarks

calibrate: $(READY) ## Measure size and power of the shipped tests (minutes)
	@$(BIN)/python -m benchmarks.calibration
	@$(BIN)/python -m benchmarks.calibration_states
	@$(BIN)/python -m benchmarks.calibration_chapter
	@$(BIN)/python -m benchmarks.calibration_beyond
	@$(BIN)/python -m benchmarks.calibration_areas

quarto: $(READY) ## Install Quarto through its Python package (downloads a binary)
	@$(BIN)/python -m pip install --quiet "quarto-cli>=1.7"

lock: $(READY) ## Re-resolve the hashed lock file (needs uv)
	@uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
		--no-header --no-annotate --no-emit-index-url --no-emit-find-links -o requirements.lock

clean: ## Remove built reports and caches (keeps snapshots and the environment)
	@chmod -R u+w reports/_build 2>/dev/null || true
	@rm -rf reports/_build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if (3, 11) <= v < (3, 15) else \
		"Bellwether needs Python 3.11 to 3.14, this is %d.%d. Run: make PYTHON=python3.11 ..." % v[:2])'
	@echo "Setting up $(VENV) from requirements.lock (once; about a minute)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)
