# make demo        see it work: installs into .venv, then sorts photographs before your eyes
# make test        lint, types and the quick tests: what CI runs
# make test-all    everything: the slow tests, the chaos tests, and 100,000 pictures in one run
# make chaos       kills, full disks, power cuts and worse, many times over: prints what they did
# make bench       imgsort beside Keras, PyTorch, ONNX Runtime, Ultralytics and a script: one table
# make growth      how status, log, reconcile … grow with the log: one chart
# make lint        ruff and mypy only
# make format      let ruff put the code in shape
# make clean       remove .venv and what builds and tests left
#
# make demo PYTHON=python3.12                 picks the Python
# make test PYTEST_ARGS='-x tests/unit'       narrows the tests
# make bench CONTENDERS=keras,imgsort         narrows the table
# make bench BENCH_ARGS=--skip-install        installs nothing: PyTorch is 6 GB, kept in .bench

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV ?= .venv
WORKERS ?= auto
PYTEST_ARGS ?=
CONTENDERS ?=
BENCH_ARGS ?=

BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --maxprocesses 4 --dist loadfile

.PHONY: help demo test test-all chaos bench growth lint format clean

help:
	@sed -n '/^#/!q;s/^# \{0,1\}//p' Makefile

demo: $(VENV)/.demo
	@$(BIN)/imgsort demo

test: lint
	@$(PYTEST) -m 'not slow and not chaos and not soak' $(PYTEST_ARGS)

test-all: lint
	@$(PYTEST) -m 'not soak' $(PYTEST_ARGS)
	@$(BIN)/python -m pytest -m soak tests/workspace/test_soak.py  # alone: it watches its own pace

# Mounting disks and cutting their power takes root; what isn't allowed is skipped with the reason.
chaos: $(VENV)/.dev
	@$(PYTEST) -rs -m 'chaos or not slow' tests/chaos tests/workspace/test_retrain.py $(PYTEST_ARGS)

bench: $(VENV)/.demo
	@$(BIN)/python -m benchmarks.beside --only '$(CONTENDERS)' $(BENCH_ARGS)

growth: $(VENV)/.demo
	@$(BIN)/python benchmarks/growth.py $(BENCH_ARGS)

lint: $(VENV)/.dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(VENV)/.dev
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

clean:
	rm -rf -- $(VENV) .bench build dist imgsort.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

# Stamps: a second run installs nothing unless what is asked for has changed.
$(VENV)/.demo: EXTRAS := demo
$(VENV)/.dev: EXTRAS := dev,demo
$(VENV)/.demo $(VENV)/.dev: $(VENV)/.python pyproject.toml constraints.txt setup.py
	@if ! [ -e $(VENV)/.demo ] && ! [ -e $(VENV)/.dev ]; then \
	    echo 'Installing imgsort and its libraries into $(VENV): 0.9 GB to download the first time'; \
	    echo '(TensorFlow is 0.6 of it), 3 GB on disk, one to five quiet minutes.'; \
	fi
	@constraints=(); \
	if $(BIN)/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))'; then \
	    constraints=(-c constraints.txt); \
	fi; \
	$(BIN)/python -m pip install -qq --disable-pip-version-check "$${constraints[@]}" -e '.[$(EXTRAS)]'
	@touch $@

$(VENV)/.python:
	@found="$$($(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || echo missing)"; \
	case "$$found" in 3.11|3.12|3.13) ;; *) \
	    echo "imgsort needs Python 3.11, 3.12 or 3.13 (TensorFlow has no others yet), but $(PYTHON) is $$found;" \
	        "name one with: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1;; \
	esac
	@$(PYTHON) -m venv $(VENV) || { \
	    echo "$(PYTHON) could not make $(VENV); on Debian and Ubuntu install python3-venv first." >&2; exit 1; }
	@touch $@
