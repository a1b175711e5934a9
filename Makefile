# Every target does its own set-up in .venv; a second call is quick.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SHOP := datasets/webshop/agents.jsonl datasets/webshop/shop.json
TESTS := tests
PYTEST := "$(CURDIR)/$(BIN)/python" -m pytest

.PHONY: help demo test lint bench clean
.DEFAULT_GOAL := help

help:  ## Show the targets.
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:[^#]*## /\t/'

$(READY): pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or later is needed"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed"; exit 1; }
	@echo "setting up $(VENV)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[fast,plot,test]'
	@touch $(READY)

demo: $(READY)  ## Place the bundled web shop; write out/placements.csv and out/placement.png.
	@mkdir -p out
	@$(BIN)/python -m placement place $(SHOP) --deadline 5s -o out/placements.csv --plot out/placement.png \
		|| test $$? -eq 1
	@$(BIN)/python -m placement verify $(SHOP) out/placements.csv
	@echo "written: out/placements.csv and out/placement.png"

test: lint  ## Lint, types, all tests, notebooks.
	$(PYTEST) $(if $(CI),,-m "not slow") $(TESTS)

lint: $(READY)
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m ruff format --check .
	@$(BIN)/python -m mypy

bench: $(READY)  ## Print the benchmark table (about half an hour; BENCH=--quick for a few minutes; DATA=DIR adds published instances).
	@$(BIN)/python -m tests.benchmarks $(BENCH) $(if $(DATA),--data $(DATA))

clean:  ## Remove what the targets made.
	rm -rf $(VENV) out build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
