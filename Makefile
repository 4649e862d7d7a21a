# Tandem. `make help` says what there is; every target works from a clean checkout and needs no network after its installs.
VENV ?= .venv
PYTHON := $(VENV)/bin/python
TORCH ?= torch==2.13.0
PORT ?= 8000
SERVICE_PORT ?= 5000
BENCH_SECONDS ?= 120
BUDGET ?= 300
export PYTHONDONTWRITEBYTECODE ?= 1
# One thread per library pool: unpinned BLAS threads fight each other and are many times slower.
export OPENBLAS_NUM_THREADS ?= 1
export MKL_NUM_THREADS ?= 1

.DEFAULT_GOAL := help
.PHONY: help demo test test-all lint format types imports tune bench docs picture clean

help: ## say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

# pip runs only when pyproject.toml is newer than the last install. torch comes first and by itself, so that a CPU build
# on a local shelf (PIP_FIND_LINKS, PIP_INDEX_URL) is taken as it is.
$(PYTHON):
	python3 -m venv $(VENV)

$(VENV)/.demo-ready: pyproject.toml | $(PYTHON)
	$(PYTHON) -m pip install -qq "$(TORCH)"
	$(PYTHON) -m pip install -qq -e ".[serve,train,backend]"
	@touch $@

$(VENV)/.dev-ready: pyproject.toml $(VENV)/.demo-ready
	$(PYTHON) -m pip install -qq -e ".[serve,train,backend,dev]"
	@touch $@

demo: $(VENV)/.demo-ready ## a working site with its service, from nothing: make demo [SITES=startups,shop] [DATA=folder] [PORT=8000] [SERVICE_PORT=5000] [KEEP=1]
	@exec $(PYTHON) backend/manage.py demo --port $(PORT) --service-port $(SERVICE_PORT) $(if $(SITES),--sites "$(SITES)") $(if $(DATA),--movielens "$(DATA)") $(if $(KEEP),--keep)

test: $(VENV)/.dev-ready ## the whole suite; also on PostgreSQL and Redis where they answer
	@$(PYTHON) .ci/suite.py

test-all: $(VENV)/.dev-ready ## the suite with its slow parts
	@$(PYTHON) .ci/suite.py --slow

lint: $(VENV)/.dev-ready ## ruff, and the form of every file
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .

format: $(VENV)/.dev-ready ## put every file in form
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

types: $(VENV)/.dev-ready ## mypy, strict
	$(PYTHON) -m mypy recommendation_service backend app

imports: $(VENV)/.dev-ready ## which way the arrows run
	PYTHONPATH=.:backend $(VENV)/bin/lint-imports

tune: $(VENV)/.demo-ready ## search every kind's settings on every export, publish: make tune [BUDGET=300 seconds a catalogue]; Ctrl-C, and again, goes on
	@exec $(PYTHON) -m recommendation_service.train_all --budget-seconds $(BUDGET)

bench: $(VENV)/.dev-ready ## costs as ratios of one run: make bench [BENCH=requests]
	@$(PYTHON) -m benchmarks.performance.run $(BENCH) --seconds $(BENCH_SECONDS)

docs: $(VENV)/.dev-ready ## every link, file and test that a document names exists
	$(PYTHON) -m pytest backend/tests/infra -k "docs or acceptance or readme"

picture: $(VENV)/.dev-ready ## take docs/images/page.png from the running demo
	$(PYTHON) backend/manage.py take_picture --url http://127.0.0.1:$(PORT)/

clean: ## remove what the demo and the tools wrote; the virtual environment stays
	rm -rf .demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache backend/staticfiles
