# A first look at pypid, and working on it. Needs make and Python 3.11 or newer; everything else goes into .venv.

# make run|test PYTHON=/path/to/python: use this one; the default is the first of these that will do.
PYTHON :=
PYTHONS := python3 python3.14 python3.13 python3.12 python3.11

# make test PYTEST_ARGS="-x tests/domain"
PYTEST_ARGS :=

# SOAK_SECONDS=60 make soak; with the seed that an earlier one has printed: SOAK_SEED=1
SOAK_SECONDS ?= 600
SOAK_SEED ?=

PIP := .venv/bin/python -m pip --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help run test lint soak clean

help:
	@echo "make run    start pypid on http://localhost:8080 with its data in ./pypid-data"
	@echo "make test   lint, types and every test (PYTEST_ARGS=... goes to pytest)"
	@echo "make lint   style and types only"
	@echo "make soak   ten minutes of clients and a failing upstream (SOAK_SECONDS=60: one minute)"
	@echo "make clean  remove what make and the tests made; never pypid-data"

# twistd dies of the signal that stopped it, which make would report as an error; and SIGHUP from a closing
# terminal would only make pypid reload. So the shell hears the signals and asks twistd to end.
run: .venv/installed
	@if [ -e /etc/pypid.conf ] || env | grep -q '^PYPID_'; then \
	    echo "Settings come from /etc/pypid.conf or PYPID_*: the log says where pypid listens and keeps its data."; \
	else \
	    echo "pip install -i http://localhost:8080/simple/ requests"; \
	    echo "uv pip install --default-index http://localhost:8080/simple/ requests"; \
	    echo "data in $(CURDIR)/pypid-data"; \
	fi; \
	.venv/bin/twistd --nodaemon --pidfile= pypid & twistd=$$!; \
	trap 'stopped=yes; kill $$twistd' INT TERM HUP; \
	wait $$twistd; status=$$?; \
	[ -z "$$stopped" ] || { wait $$twistd 2>/dev/null; exit 0; }; \
	exit $$status

test: lint
	.venv/bin/python -m pytest $(PYTEST_ARGS)

lint: .venv/installed-test
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

soak: .venv/installed-test
	.venv/bin/python -m tests.soak --seconds $(SOAK_SECONDS) $(if $(SOAK_SEED),--seed $(SOAK_SEED))

clean:
	rm -rf .venv dist build .hypothesis .mypy_cache .pytest_cache .ruff_cache _trial_temp*
	rm -f twisted/plugins/dropin.cache
	find pypid tests twisted -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/installed: pyproject.toml .venv/made
	@echo "Installing pypid into .venv"
	@$(PIP) install --quiet --editable .
	@touch $@

.venv/installed-test: pyproject.toml .venv/made
	@echo "Installing pypid and what its tests need into .venv"
	@$(PIP) install --quiet --editable '.[test]'
	@touch .venv/installed $@

# Debian's python3 comes without ensurepip, so without a working venv, until python3-venv is installed.
.venv/made:
	@chosen=; without_venv=; \
	for python in $(or $(PYTHON),$(PYTHONS)); do \
	    "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	    if "$$python" -c 'import ensurepip, venv' 2>/dev/null; then chosen=$$python; break; fi; \
	    without_venv=$${without_venv:-$$python}; \
	done; \
	if [ -n "$$chosen" ]; then \
	    echo "Making .venv with $$("$$chosen" --version)"; \
	    "$$chosen" -m venv --clear .venv && touch $@; \
	elif [ -n "$$without_venv" ]; then \
	    version=$$("$$without_venv" -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
	    echo "$$without_venv cannot make a virtual environment: its ensurepip is missing." >&2; \
	    echo "On Debian and Ubuntu: apt-get install python$$version-venv" >&2; \
	    exit 1; \
	else \
	    echo "pypid needs Python 3.11 or newer, and none of these is: $(or $(PYTHON),$(PYTHONS))" >&2; \
	    echo "Install one, or name it: make run PYTHON=/path/to/python3" >&2; \
	    exit 1; \
	fi
