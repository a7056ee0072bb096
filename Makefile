# What people type. Every target makes .venv itself, from the lock alone; the stamp says that this was done.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.made-from-lock
LOCK := build/lock
KILLS ?= 1000
JOBS ?= 2
COMPILE := $(LOCK)/bin/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-annotate --no-header \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host $(UPGRADE)

.DEFAULT_GOAL := test
.PHONY: demo test check bench chaos soak lock clean

demo: $(STAMP)
	$(BIN)/meterline demo

test: $(STAMP)
	$(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadfile --no-loadscope-reorder

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest --quiet tests/test_architecture.py

bench: $(STAMP)
	$(BIN)/meterline bench ingest
	$(BIN)/meterline bench close
	$(BIN)/meterline bench rate
	$(BIN)/meterline bench what-if

chaos: $(STAMP)
	$(BIN)/python -m tests.chaos --kills $(KILLS)

soak: $(STAMP)
	$(BIN)/python -m tests.soak

$(STAMP): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Meterline needs Python 3.11 or newer, and $(PYTHON) is not. Name one that is: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; \
	  exit 1; }
	@$(PYTHON) -m venv .venv || { \
	  echo "This Python cannot make a virtual environment. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	$(BIN)/pip install --disable-pip-version-check --quiet --require-hashes -r requirements/dev.txt
	$(BIN)/pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# Versions stay as they are unless `make lock UPGRADE=--upgrade`. Hashes come from the registry alone (PIP_FIND_LINKS=),
# never from wheels that this machine happens to have.
lock:
	$(PYTHON) -m venv $(LOCK)
	$(LOCK)/bin/pip install --disable-pip-version-check --quiet pip-tools==7.6.2
	PIP_FIND_LINKS= $(COMPILE) --output-file requirements/emitter.txt pyproject.toml
	PIP_FIND_LINKS= $(COMPILE) --extra server --output-file requirements/server.txt pyproject.toml
	PIP_FIND_LINKS= $(COMPILE) --extra server --extra dev --output-file requirements/dev.txt pyproject.toml

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
