# Tandem. `make help` lists the targets. Each works from a clean checkout, and needs no network after the installation.
VENV ?= .venv
PYTHON := $(VENV)/bin/python
TORCH ?= torch==2.13.0
PORT ?= 8000
SERVICE_PORT ?= 5000
BENCH_SECONDS ?= 120
TRIALS ?= 40
export PYTHONDONTWRITEBYTECODE ?= 1
# One thread per library pool: several BLAS pools on the same cores are many times slower.
export OPENBLAS_NUM_THREADS ?= 1
export MKL_NUM_THREADS ?= 1

.DEFAULT_GOAL := help
.PHONY: help demo test test-all chaos test-matrix test-spark adoption release lint format types imports tune bench docs picture clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

# pip runs only if pyproject.toml is newer than the last installation. torch is installed first, so that a local CPU build
# (PIP_FIND_LINKS, PIP_INDEX_URL) is used.
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

test: $(VENV)/.dev-ready ## run the whole suite, also on PostgreSQL and Redis where they are reachable
	@$(PYTHON) .ci/suite.py

test-all: $(VENV)/.dev-ready ## run the suite with its slow tests
	@$(PYTHON) .ci/suite.py --slow

chaos: $(VENV)/.dev-ready ## break the database and the service together at eight list endpoints, on SQLite
	$(PYTHON) -m pytest backend/tests/drills/test_chaos.py -s -k long

test-matrix: $(VENV)/.dev-ready ## test the Django app with every Python, Django and database that it supports
	@$(PYTHON) .ci/matrix.py

adoption: $(VENV)/.dev-ready ## print what a site of other people needs: lines, commands, packages, statements, and tests of shapes and harms
	@$(PYTHON) .ci/adoption.py

release: $(VENV)/.dev-ready ## build sdist, wheel, bill of materials and checksums into dist, from a committed checkout
	@$(PYTHON) .ci/release.py

test-spark: $(VENV)/.dev-ready ## train ALS on a Spark cluster of one master and two workers; installs pyspark, needs Java 17
	$(PYTHON) -m pip install -qq -e ".[spark]"
	$(PYTHON) -m pytest recommendation_service/tests/training/spark

lint: $(VENV)/.dev-ready ## run ruff, and check the format of every file
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) .ci/words.py

format: $(VENV)/.dev-ready ## format every file
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

types: $(VENV)/.dev-ready ## run mypy in strict mode
	$(PYTHON) -m mypy recommendation_service backend app benchmarks

imports: $(VENV)/.dev-ready ## check the import contracts
	PYTHONPATH=.:backend $(VENV)/bin/lint-imports

tune: $(VENV)/.demo-ready ## search the parameters of every model and publish: make tune [TRIALS=40 per kind]; continues after Ctrl-C
	@exec $(PYTHON) -m recommendation_service.cli train all --trials $(TRIALS)

bench: $(VENV)/.dev-ready ## measure costs as ratios within one run: make bench [BENCH=requests]
	@$(PYTHON) -m benchmarks.performance.run $(BENCH) --seconds $(BENCH_SECONDS)

docs: $(VENV)/.dev-ready ## check every link, file and test that the documents name
	$(PYTHON) -m pytest backend/tests/infra -k "docs or acceptance or readme"

picture: $(VENV)/.dev-ready ## take docs/images/page.png from the running demo
	$(PYTHON) backend/manage.py take_picture --url http://127.0.0.1:$(PORT)/

clean: ## remove the files of the demo and the tools, but not the virtual environment
	rm -rf .demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache backend/staticfiles
