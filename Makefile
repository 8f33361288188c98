# What a checkout can do. `make help` lists it; README.md explains the first two.
# Needs Python 3.11+ with headers and venv, a C compiler, make and a package index. Nothing is installed outside .venv.

SHELL       := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
BIN    := .venv/bin
ROOMS  := supervisor opcua_model drivers hil config kernels
KERNEL_SOURCES := $(shell find kernels hil -name '*.py[xd]' -o -name '*.pxi' -o -name '*.h' 2>/dev/null)

# Arguments for pytest, as in: make test PYTEST_ARGS='-k interlock -x'
PYTEST_ARGS ?=
# How many processes run tests side by side, a file of tests at a time; 1 for one after the other in one process. One
# more than there are processors: tests of a whole daemon wait a good part of their time.
JOBS ?= $(shell echo $$(($$(nproc) + 1)))
PYTEST := -m pytest $(if $(filter-out 1,$(JOBS)),-n $(JOBS) --dist loadfile --no-loadscope-reorder)
# COVERAGE=1 measures branches while the tests of the Python rooms run and prints the report afterwards. Kernels and
# plants are compiled (`make kernel-coverage`); daemons are processes of their own, and counting doubles what they cost.
COVERAGE ?=
COUNTED := tests/config tests/drivers tests/opcua_model tests/supervisor

# Half the time that a daemon takes to start is imports: each process would compile what no other may leave behind.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run test bench validation lint format docs coverage kernel-coverage kernel-campaign exploration mutations campaign first-week scenario-campaign process-campaign kill-campaign hostile-campaign driver-campaign replay-campaign soak wired-recipes dist-check sbom audit node-client lock setup kernels clean variants
.DELETE_ON_ERROR:

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# ------------------------------------------------------------------------------------------------- environment

# The locked requirements first, build tools included: `pip install --require-hashes` refuses `-e .`.
.venv/.requirements-stamp: requirements/lock.txt
	@test -x $(BIN)/python || $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "cvd-supervisor needs Python 3.11 or newer; set PYTHON=/path/to/python3.11"; exit 1; }
	test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/lock.txt
	@touch $@

# Without the kernels: pip would compile them in a temporary folder and throw the objects away.
.venv/.package-stamp: .venv/.requirements-stamp pyproject.toml setup.py
	CVD_WITHOUT_KERNELS=1 $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.kernels-stamp: .venv/.package-stamp $(KERNEL_SOURCES)
	$(BIN)/python setup.py --quiet build_ext --inplace
	@$(BIN)/python -m compileall -q $(ROOMS)
	@touch $@

# Node and npm come with the locked requirements; the clients are what each package-lock.json says.
NODE_CLIENTS := $(patsubst %/package-lock.json,%/node_modules/.installed,$(wildcard tests/system/*/package-lock.json))
$(NODE_CLIENTS): %/node_modules/.installed: %/package-lock.json .venv/.requirements-stamp
	.ci/node-client $*

setup: .venv/.kernels-stamp  ## create or refresh .venv and the built kernels

kernels: setup  ## compile the kernels that changed

lock:  ## renew requirements/lock.txt from pyproject.toml (needs network)
	.ci/lock

clean:  ## remove build products; the environment stays
	rm -rf build dist *.egg-info .coverage .coverage.* .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find $(ROOMS) -name '*.so' -delete
	rm -f .venv/.kernels-stamp

# --------------------------------------------------------------------------------------------------------- use

run: setup  ## the guided demonstration: a furnace runs its recipe, no hardware needed
	$(BIN)/cvd demo

bench: setup  ## the benchmark table
	$(BIN)/python -m tests.bench

validation: setup  ## the physics beside published numbers, case by case
	$(BIN)/python -m tests.validation

# Long: SCANS=10000000 takes half an hour against the oracle on two processors, and half a minute for the sweep.
SCANS ?= 1000000
SEED  ?= 1
kernel-campaign: setup  ## random scans against the oracle, and interlocks at full speed (SCANS=…, SEED=…)
	$(BIN)/python -m tests.kernels.campaign --mode interlock --scans $(SCANS) --seed $(SEED)
	$(BIN)/python -m tests.kernels.campaign --mode oracle --scans $(SCANS) --seed $(SEED)

# Every reachable state of the small tools, kernel and oracle side by side: some minutes.
exploration: setup  ## every state of small tools, and what must not be true in any (record in docs/evidence)
	$(BIN)/python -m tests.kernels.exploration --out docs/evidence/exploration.json

# Each costs a compilation: COUNT=280 takes half an hour on two processors; without COUNT all of them.
COUNT ?=
mutations: setup  ## a fault in every operator of the interlock code, each caught (COUNT=…, SEED=…)
	$(BIN)/python -m tests.kernels.mutation $(if $(COUNT),--count $(COUNT)) --seed $(SEED) --out docs/evidence/mutations.json

first-week: setup  ## a crew's first week on both simulated tools, the furnace's hours as well
	CVD_FIRST_WEEK=full $(BIN)/python -m pytest tests/system/test_first_week.py -n 0

ANSWERS ?= 1000000
wired-recipes: setup  ## a recipe of each tool with instruments, over its wires, the guide's on the furnace among them
	$(BIN)/python -W ignore -m tests.system.wired_run --out docs/evidence/wired-recipes.json

driver-campaign: setup  ## damaged answers of instruments against every codec (ANSWERS=…, SEED=…)
	$(BIN)/python -m tests.drivers.fuzz --answers $(ANSWERS) --seed $(SEED) --out docs/evidence/driver-fuzz-seed$(SEED).json

# Hours on two processors; each part has a target of its own and a sample of it in `make test`.
campaign: scenario-campaign process-campaign kill-campaign wire-campaign driver-campaign hostile-campaign replay-campaign kernel-campaign exploration mutations  ## every campaign below, one after another

SCENARIOS ?= 2000
scenario-campaign: setup  ## random runs of shipped tools with faults of plant, people and process (SCENARIOS=…, SEED=…)
	$(BIN)/python -W ignore -m tests.system.scenario_campaign --scenarios $(SCENARIOS) --seed $(SEED) \
	  --out docs/evidence/scenarios-seed$(SEED).json

TROUBLES ?= 300
process-campaign: setup  ## a real controller stands still, finds its disk full or slow, its clock set … (TROUBLES=…, SEED=…)
	$(BIN)/python -W ignore -m tests.system.process_campaign --scenarios $(TROUBLES) --seed $(SEED) \
	  --out docs/evidence/process-seed$(SEED).json

KILLS ?= 200
kill-campaign: setup  ## SIGKILL of controllers, of whole daemons, of servers, in the middle of runs (KILLS=…, SEED=…)
	for half in controller daemon server; do \
	  $(BIN)/python -W ignore -m tests.system.kill_campaign --half $$half --kills $(KILLS) --seed $(SEED) \
	    --out docs/evidence/kill-$$half-seed$(SEED).json || exit 1; done

# A quarter of an hour for a million on two processors.
MESSAGES ?= 1000000
hostile-campaign: setup  ## hostile OPC UA messages against a whole daemon (MESSAGES=…, SEED=…)
	$(BIN)/python -m tests.system.campaign --messages $(MESSAGES) --seed $(SEED)

replay-campaign: setup  ## every shipped recipe taped and executed again, bit for bit
	$(BIN)/python -W ignore -m tests.system.replay_campaign --out docs/evidence/replay.json

# In real time and under real load: leave the machine alone meanwhile.
MINUTES ?= 60
soak: setup  ## a daemon at 1 kHz under all its load for an hour: does anything grow? (MINUTES=…, SEED=…)
	$(BIN)/python -W ignore -m tests.system.soak --minutes $(MINUTES) --seed $(SEED) --out docs/evidence/soak-seed$(SEED).json

CELLS ?= 10000
wire-campaign: setup  ## the fault matrix on every kind of wire, again and again (CELLS=…, SEED=…)
	$(BIN)/python -W ignore -m tests.hil.campaign --cells $(CELLS) --seed $(SEED) \
	  --out docs/evidence/wires-seed$(SEED).json

# ------------------------------------------------------------------------------------------------------- gates

test: setup $(NODE_CLIENTS)  ## the whole test suite (COVERAGE=1: with branch coverage)
ifeq ($(COVERAGE),)
	$(BIN)/python $(PYTEST) $(PYTEST_ARGS)
else
	@$(BIN)/python -m coverage erase
	@status=0; \
	$(BIN)/python -m coverage run $(PYTEST) $(PYTEST_ARGS) $(COUNTED) || status=1; \
	$(BIN)/python $(PYTEST) $(PYTEST_ARGS) $(filter-out $(COUNTED) tests/bench,$(patsubst %/,%,$(wildcard tests/*/))) || status=1; \
	$(BIN)/python -m coverage combine --quiet && $(BIN)/python -m coverage report; \
	exit $$status
endif

coverage: setup  ## the test suite with branch coverage of the Python code
	$(MAKE) test COVERAGE=1

kernel-coverage: setup  ## line and branch coverage of the Cython kernels, from a gcov build in a copy of the tree
	$(BIN)/python .ci/kernel_coverage.py $(PYTEST_ARGS)

lint: setup  ## format, style, types, Cython style, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	@files=$$(find $(ROOMS) -name '*.py[xd]'); \
	  if test -n "$$files"; then echo cython-lint; PATH="$$PWD/$(BIN):$$PATH" cython-lint $$files; fi
	$(BIN)/lint-imports
	$(BIN)/pyright

format:  ## rewrite the Python files as `make lint` wants them
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: setup  ## generate the reference pages into build/docs, check every link in the Markdown files
	$(BIN)/python .ci/docs.py --output build/docs
	$(BIN)/python .ci/variants.py

variants: setup  ## simulate a recipe of every kind of CVD, write their pages anew
	$(BIN)/python .ci/variants.py --write

sbom: setup  ## the bill of materials (CycloneDX) of the locked packages, into build/sbom.json
	$(BIN)/python .ci/sbom.py --output build/sbom.json

audit: setup  ## known vulnerabilities of the locked packages, from the package index (needs network)
	$(BIN)/python .ci/audit.py

dist-check: setup  ## build sdist and wheel, check what is in them
	rm -rf build/dist
	$(BIN)/python -m build --no-isolation --outdir build/dist . > build/dist.log 2>&1 || { tail -40 build/dist.log; exit 1; }
	$(BIN)/python .ci/dist_check.py build/dist

node-client: $(NODE_CLIENTS)  ## install the independent OPC UA clients (node-opcua, Node-RED, FUXA) that the tests use
