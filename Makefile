# obs_magics: what one does with this project. `make help` lists it.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
export TZ ?= UTC

.DEFAULT_GOAL := help
.PHONY: help setup servers demo lab test check lint types format bench bench-peers lock clean

help:  ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv/ready: requirements.lock pyproject.toml
	@echo "setting up .venv (a minute or two) …"
	@$(PYTHON) -c 'import sys; sys.exit("obs_magics needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try: make setup PYTHON=python3.11") if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

setup: .venv/ready  ## make .venv with everything, as locked

demo: .venv/ready  ## run the postmortem notebook on the demo world, from end to end
	@$(BIN)/obs-magics demo

lab: .venv/ready  ## open JupyterLab on the notebooks
	@$(BIN)/jupyter lab notebooks/postmortem.ipynb

servers:  ## install the real servers the tests use (Debian packages, as root; elsewhere says what is skipped)
	@bash tests/install_servers.sh

test: .venv/ready servers  ## every test, with coverage
	@$(BIN)/python -m pytest --cov --cov-report= -n 2 --dist loadgroup tests
	@# The demo world is built first, and no progress is shown: nbval would take it for an output.
	@$(BIN)/python -c "from obs_magics import demo; demo.open()"
	@OBS_MAGICS_PROGRESS=off $(BIN)/python -m pytest -p no:cacheprovider -n 2 --dist loadscope \
		--nbval --nbval-kernel-startup-timeout=180 notebooks
	@$(BIN)/coverage report --fail-under=95

check: lint types test  ## everything the build machine checks

lint: .venv/ready
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: .venv/ready
	@$(BIN)/mypy

format: .venv/ready  ## format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: .venv/ready  ## run the benchmarks (needs ../shared; takes minutes)
	@for name in benchmarks/*.py; do echo "== $$name"; $(BIN)/python $$name || exit 1; done

bench-peers:  ## a virtual environment with the libraries we compare against
	@test -x .venv-peers/bin/python || $(PYTHON) -m venv .venv-peers
	@.venv-peers/bin/python -m pip install --quiet -r benchmarks/requirements-peers.txt
	@test -x .venv-peers-logs/bin/python || $(PYTHON) -m venv .venv-peers-logs
	@.venv-peers-logs/bin/python -m pip install --quiet -r benchmarks/requirements-peers-logs.txt

lock: .venv/ready  ## renew requirements.lock from pyproject.toml
	@$(BIN)/pip-compile --quiet --extra lab --extra test --extra dev --strip-extras --no-header --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --output-file requirements.lock pyproject.toml

clean:  ## take away what was built
	@rm -rf .venv .venv-peers .venv-peers-logs build dist out .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*
