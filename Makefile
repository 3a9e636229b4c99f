# `make up` runs the product, `make test` passes the tests; both set themselves up in .venv.
# Options are handed on: make up ARGS="--port 8090", make test ARGS="-k journal".

VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
# Two processes of tests, a file at a time: what a file shares is made once. One process: make test ARGS="-n 0".
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadfile
.DELETE_ON_ERROR:
.PHONY: help up test verify bench fuzz lock clean

help: ## what there is
	@grep -hE '^[a-z]+:.*## ' Makefile | sed -E 's/:[^#]*## /\t/'

up: $(VENV)/up.stamp ## run everything: broker, simulated devices, worker, console
	@exec $(BIN)/scenewatch up $(ARGS)

test: $(VENV)/test.stamp ## all tests
	@$(PYTEST) $(ARGS)

verify: $(VENV)/test.stamp ## format, lint, types, then all tests
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	@$(PYTEST) $(ARGS)

bench: $(VENV)/test.stamp ## the figures; one alone: python tests/bench/bench_reader.py --help
	@for b in tests/bench/bench_*.py; do echo "== $$b"; $(BIN)/python $$b || exit 1; done

fuzz: $(VENV)/fuzz.stamp ## random bytes for reader, journal and decoder, five minutes each; one alone: see their --help
	@for f in tests/fuzz/fuzz_*.py; do echo "== $$f"; $(BIN)/python $$f $(or $(ARGS),-max_total_time=300) || exit 1; done

lock: $(VENV)/test.stamp ## make the lock files anew from pyproject.toml
	$(BIN)/uv lock -q --upgrade
	$(BIN)/uv export -q --format requirements-txt --no-header --no-emit-project --no-dev --group build -o requirements.lock
	$(BIN)/uv export -q --format requirements-txt --no-header --no-emit-project --all-groups --no-group fuzz -o tests/requirements.lock
	$(BIN)/uv export -q --format requirements-txt --no-header --no-emit-project --only-group fuzz -o tests/fuzz/requirements.lock

clean: ## remove the environment; data stay
	rm -rf $(VENV)

# The environment: hashes are checked; the build backend is in the lock, since build isolation would escape it.
$(VENV)/up.stamp: requirements.lock pyproject.toml $(VENV)/pip.stamp
	@echo "scenewatch: installing packages into $(VENV)"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/test.stamp: tests/requirements.lock $(VENV)/up.stamp
	@echo "scenewatch: installing what the tests need"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r tests/requirements.lock
	@touch $@

$(VENV)/fuzz.stamp: tests/fuzz/requirements.lock $(VENV)/test.stamp
	@echo "scenewatch: installing the fuzzer"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r tests/fuzz/requirements.lock
	@touch $@

# Debian without python3-venv has no ensurepip: then the system's pip serves, or the lack is named.
$(VENV)/pip.stamp:
	@set -e; python=; \
	for name in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
	  if command -v $$name >/dev/null && $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	  then python=$$name; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	  echo "scenewatch: needs Python 3.11 or newer; found none on PATH (name one with PYTHON=/path/to/python3)" >&2; exit 2; fi; \
	if $$python -c 'import ensurepip' 2>/dev/null; then \
	  $$python -m venv --clear $(VENV); \
	elif $$python -m pip --version >/dev/null 2>&1; then \
	  $$python -m venv --clear --without-pip $(VENV); \
	  $$python -m pip --python $(BIN)/python install -q --disable-pip-version-check pip; \
	else \
	  echo "scenewatch: $$python has neither ensurepip nor pip; install one of them (Debian: apt install python3-venv)" >&2; exit 2; fi; \
	touch $@
