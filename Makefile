# K9 Ops: everything that is done often. `make help` lists it; `make -C DIR …` works too.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

# The Python that .venv is made of; without one scripts/find-python finds it.
PYTHON ?=
BIN := .venv/bin
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes
CATALOGUES := $(wildcard k9ops/translations/*/LC_MESSAGES/messages.po)
REQUIREMENTS := requirements requirements-build requirements-dev

# Of `make run`
PORT ?= 8000
WORKERS ?= 2
SAMPLE ?= yes
# Of `make worker`; no QUEUES means all. A second worker on a machine needs another WORKER_NAME.
QUEUES ?=
CONCURRENCY ?= 2
WORKER_NAME ?= celery
# Of the tests: `make test-unit T=tests/unit/jobs ARGS='-k cron'`
T ?=
ARGS ?=
PYTEST := $(BIN)/python -m pytest $(ARGS)
# Three processes on two cores, since many tests wait; what is timed beside a sick broker comes alone.
ALONE := tests/faults/test_broker.py tests/integration/jobs/test_redis_connections.py \
	tests/integration/monitoring/test_celery.py
IN_PARALLEL := tests --ignore=tests/benchmarks $(ALONE:%=--ignore=%)

.PHONY: help setup setup-dev system-packages run worker beat scheduler test test-unit \
	test-integration test-e2e test-fuzz faults bench check numbers pictures requirements messages db-revision clean

help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- Setting up ----------------------------------------------------------------------------------

setup: system-packages .venv/.packages .venv/.assets $(CATALOGUES:.po=.mo)  ## Install what running needs (system packages, .venv, fonts, icons)

setup-dev: setup .venv/.dev-packages node_modules/.dev-packages
	@scripts/system-packages test

system-packages:
	@scripts/system-packages run

.venv/.created:
	@python=$$(PYTHON=$(PYTHON) scripts/find-python) && echo "Making .venv …" && $$python -m venv .venv
	@touch $@

.venv/.packages: .venv/.created requirements.txt
	@echo "Installing Python packages (about a minute) …"
	@$(PIP) -r requirements.txt
	@touch $@

.venv/.dev-packages: .venv/.packages requirements-dev.txt
	@echo "Installing the tools of checks and tests …"
	@$(PIP) -r requirements-dev.txt
	@touch $@

.venv/.build-packages: .venv/.packages requirements-build.txt
	@$(PIP) -r requirements-build.txt
	@touch $@

.venv/.assets: .venv/.build-packages package-lock.json .npmrc scripts/assets.py k9ops/web/icons.txt
	@echo "Fetching fonts and icons …"
	@if $(BIN)/python -m scripts.assets; then touch $@; \
		else echo "Pages stay plain until \`make setup\` succeeds in fetching them." >&2; fi

# Beside what it stands for, since installing fonts and icons anew takes both away.
node_modules/.dev-packages: package-lock.json .npmrc | .venv/.assets
	@echo "Installing what drives Firefox in tests …"
	@if $(BIN)/npm ci --loglevel error >/dev/null; then touch $@; \
		else echo "Firefox is not tested until \`make setup-dev\` succeeds in fetching it." >&2; fi

%.mo: %.po | .venv/.packages
	@$(BIN)/pybabel --quiet compile --input-file $< --output-file $@

# --- Running -------------------------------------------------------------------------------------

run: export PORT := $(PORT)
run: export WORKERS := $(WORKERS)
run: export SAMPLE := $(SAMPLE)
run: setup  ## Start the product (PORT=8000, WORKERS=2, SAMPLE=no for an empty unit); Ctrl-C ends it
	@exec scripts/run

worker: setup  ## Start a Celery worker (QUEUES=backups,reports, CONCURRENCY=2, WORKER_NAME=celery)
	@exec $(BIN)/celery -A k9ops.worker worker --hostname=$(WORKER_NAME)@%h \
		-c $(CONCURRENCY) $(if $(QUEUES),-Q $(QUEUES))

beat: setup  ## Start Celery Beat (with JOBS_SCHEDULER=beat)
	@exec $(BIN)/celery -A k9ops.worker beat --pidfile=

scheduler: setup  ## Start a separate scheduler (with JOBS_SCHEDULER=standalone)
	@exec $(BIN)/flask scheduler

# --- Checks and tests ----------------------------------------------------------------------------

test: check  ## Check, then run all tests on SQLite and PostgreSQL (not the slow faults, not bench)
ifeq ($(T),)
	@$(PYTEST) -m "not slow" -n 3 --dist worksteal $(IN_PARALLEL); parallel=$$?; \
		$(PYTEST) -m "not slow" $(ALONE) && exit $$parallel
else
	@$(PYTEST) -m "not slow" $(T)
endif

test-unit: setup-dev  ## Run the fast tests
	@$(PYTEST) $(or $(T),tests/unit tests/architecture)

test-integration: setup-dev  ## Run the tests on both databases
	@$(PYTEST) -m "not slow" $(or $(T),tests/integration)

test-fuzz: setup-dev  ## Send senseless values to every route, a hundred times each
	@$(PYTEST) --hypothesis-profile=thorough $(or $(T),tests/integration/web/test_fuzz.py)

test-e2e: setup-dev  ## Run the tests in a browser
	@$(PYTEST) -m "not slow" $(or $(T),tests/e2e)

faults: setup-dev  ## Run the fault matrix, the slow ones too: kills, freezes, full disks, clock jumps
	@$(PYTEST) $(or $(T),tests/faults)

bench: setup-dev  ## Measure beside bare Celery and plain ways: dispatch, runs, decisions, pages, backup
	@$(PYTEST) -s --timeout=1800 $(or $(T),tests/benchmarks)

check: setup-dev  ## Format, lint, types, import rules, translations, migrations
	@echo "format";        $(BIN)/ruff format --diff --quiet .
	@echo "lint";          $(BIN)/ruff check --quiet .
	@echo "types";         $(BIN)/mypy --no-error-summary
	@echo "imports";       log=$$($(BIN)/lint-imports --no-logo 2>&1) || { echo "$$log"; exit 1; }
	@echo "translations";  $(BIN)/python -m scripts.messages check
	@echo "migrations";    $(BIN)/python -m scripts.check_migrations >/dev/null

pictures: setup-dev  ## Take the pictures of the guide and the README anew
	@$(BIN)/python -m scripts.pictures

numbers: setup-dev  ## Print the numbers of the house: sizes of functions and files, types
	@$(BIN)/python -m scripts.house_numbers

# --- Upkeep --------------------------------------------------------------------------------------

requirements: setup-dev  ## Pin all requirements anew (UPGRADE=--upgrade for newer versions)
	@for name in $(REQUIREMENTS); do \
		$(BIN)/uv pip compile --quiet --generate-hashes --python-version 3.11 $(UPGRADE) \
			$$name.in --output-file $$name.txt || exit 1; \
	done

messages: setup-dev  ## Collect texts to translate into k9ops/translations
	@$(BIN)/python -m scripts.messages update

db-revision: setup-dev  ## Write a migration from the models (M="what it does")
	@test -n "$(M)" || { echo 'usage: make db-revision M="Add the table of dogs"' >&2; exit 2; }
	@$(BIN)/flask db upgrade
	@$(BIN)/flask db migrate --message "$(M)"
	@$(BIN)/ruff format --quiet migrations/versions

clean:  ## Remove what was built, not the instance folder
	@rm -rf .venv node_modules k9ops/web/static/vendor k9ops/translations/*/LC_MESSAGES/*.mo
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis test-results
