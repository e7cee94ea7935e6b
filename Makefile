# Shipmate. `make` alone says what there is.
PYTHON ?= python3
PORT ?= 4000
WORKERS ?= 3
VENV := .venv
TOOLS := .venv-tools
# The trust store of the system, as pip uses it: companies add certificates of their own.
export UV_SYSTEM_CERTS ?= true
UV := $(TOOLS)/bin/uv
PACKAGES := $(VENV)/.packages
SCAN := .venv-scan
BOT := .venv-bot
LEGACY := .venv-google-generativeai
NODE_PACKAGES := tests/contracts/node_modules/.packages
OCTOKIT := tests/conformance/node_modules/@octokit
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command "make lock"

.DEFAULT_GOAL := help
.PHONY: help install demo test check bench chaos lock picture

help: ## say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(PACKAGES) ## make .venv with everything from the lock file, and .venv/bin/shipmate

demo: $(PACKAGES) ## bring up the bot in a Slack workspace on this machine (make demo PORT=4000)
	$(VENV)/bin/shipmate demo --port $(PORT)

test: $(PACKAGES) $(LEGACY)/.packages $(if $(shell command -v npm),$(NODE_PACKAGES) $(OCTOKIT)/.packages) ## run all tests, in three processes, which mostly wait (make test WORKERS=1 for one)
	$(VENV)/bin/python -m pytest --numprocesses $(WORKERS) --dist loadfile

check: $(PACKAGES) $(SCAN)/.packages ## format, lint, types, import contracts, Dockerfile, manifests
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/python -m mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/hadolint Dockerfile
	$(VENV)/bin/python .ci/check_dockerfile.py
	$(VENV)/bin/python .ci/check_manifests.py --checkov $(SCAN)/bin/checkov

bench: $(PACKAGES) $(BOT)/.packages ## measure, side by side with peers; docs/benchmarks.md keeps the figures
	$(VENV)/bin/python tests/benchmarks/acknowledge.py
	$(VENV)/bin/python tests/benchmarks/cold_start.py $(BOT)/bin/python
	$(VENV)/bin/python tests/benchmarks/retrain_overhead.py
	$(VENV)/bin/python tests/benchmarks/large_table.py
	$(VENV)/bin/python tests/benchmarks/retrieval.py --peers
	$(VENV)/bin/python tests/benchmarks/knowledge.py
	$(VENV)/bin/python tests/benchmarks/ask_evidence.py
	$(VENV)/bin/python tests/benchmarks/drift.py
	$(VENV)/bin/python tests/benchmarks/drift_kinds.py
	$(VENV)/bin/python tests/benchmarks/drift_peers.py
	$(VENV)/bin/python tests/benchmarks/inference_records.py
	$(VENV)/bin/python tests/benchmarks/evidence.py
	$(VENV)/bin/python tests/benchmarks/webhook_report.py

chaos: $(PACKAGES) ## kill the bot a hundred times at random moments
	SHIPMATE_KILLS=100 $(VENV)/bin/python -m pytest tests/chaos

picture: $(PACKAGES) ## take the README's picture of the demo anew
	$(VENV)/bin/python docs/pictures/take.py

lock: $(UV) ## resolve the locks anew from pyproject.toml
	$(COMPILE) pyproject.toml --extra demo --extra train --extra s3 --extra postgres --extra dev -o requirements/all.txt
	$(COMPILE) pyproject.toml --extra s3 --extra postgres -o requirements/bot.txt
	$(COMPILE) pyproject.toml --extra train --extra s3 -o requirements/trainer.txt
	$(COMPILE) pyproject.toml --extra google-generativeai -o requirements/google-generativeai.txt
	$(COMPILE) pyproject.toml requirements/google-generativeai-tests.in --extra google-generativeai -c requirements/google-generativeai.txt -o requirements/google-generativeai-tests.txt
	$(COMPILE) requirements/scan.in -o requirements/scan.txt

# uv lives in a venv of its own, because syncing a venv to the lock removes what the lock does not name.
$(UV):
	$(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check uv

$(PACKAGES): requirements/all.txt pyproject.toml | $(UV)
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(UV) pip sync --quiet --python $(VENV)/bin/python --require-hashes requirements/all.txt
	$(UV) pip install --quiet --python $(VENV)/bin/python --no-deps --editable .
	@touch $@

$(SCAN)/.packages: requirements/scan.txt | $(UV)
	test -x $(SCAN)/bin/python || $(PYTHON) -m venv $(SCAN)
	$(UV) pip sync --quiet --python $(SCAN)/bin/python --require-hashes requirements/scan.txt
	@touch $@

# What the image `bot` holds, to measure the bot without the trainer.
$(BOT)/.packages: requirements/bot.txt | $(UV)
	test -x $(BOT)/bin/python || $(PYTHON) -m venv $(BOT)
	$(UV) pip sync --quiet --python $(BOT)/bin/python --require-hashes requirements/bot.txt
	$(UV) pip install --quiet --python $(BOT)/bin/python --no-deps --editable .
	@touch $@

# What google-generativeai pins conflicts with the rest, so that it is tested in an environment of its own.
$(LEGACY)/.packages: requirements/google-generativeai-tests.txt | $(UV)
	test -x $(LEGACY)/bin/python || $(PYTHON) -m venv $(LEGACY)
	$(UV) pip sync --quiet --python $(LEGACY)/bin/python --require-hashes requirements/google-generativeai-tests.txt
	@touch $@

# What answers in the place of OpenAI and Gemini.
$(NODE_PACKAGES): tests/contracts/package-lock.json
	npm ci --prefix tests/contracts --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

# GitHub's own description of its API and webhooks, which the sandbox is held against; 14 of its 386 MB are read.
$(OCTOKIT)/.packages: tests/conformance/package-lock.json
	npm ci --prefix tests/conformance --ignore-scripts --no-audit --no-fund --loglevel=error
	find $(OCTOKIT)/openapi/generated -name '*.json' ! -name api.github.com.json -delete
	@touch $@
