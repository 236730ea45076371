# Everything is installed into .venv; nothing but Python 3.11+ and, for tests, Debian packages is needed beforehand.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCK := .ci/lock.txt
LOWEST := .ci/lowest.txt

# Byte code is written, whatever the shell says: commands start three times faster with it.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install dev screenshots services replay pywb peers news-please clients demo test check lowest bench lock clean

help: ## what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 20

$(VENV)/made: .ci/ensure-venv.sh
	sh .ci/ensure-venv.sh $(PYTHON) $(VENV)
	touch $@

$(VENV)/installed: $(VENV)/made pyproject.toml $(LOCK)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint $(LOCK) --editable .
	touch $@

$(VENV)/developed: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement $(LOCK)
	touch $@

install: $(VENV)/installed ## the product, into .venv

dev: $(VENV)/developed ## the product and what tests and checks need

demo: install ## crawl three sample blogs served on this machine, into demo-data
	cd tests && ../$(BIN)/python -m sample.demo ../demo-data

screenshots: dev services demo ## the pictures in docs/
	$(BIN)/python tests/sample/screenshots.py demo-data docs/screenshots

services: ## Debian packages that tests use
	sh .ci/services.sh

pywb: .venv-pywb/installed ## another archive's replay tool, which tests let read our files; never part of the product

.venv-pywb/installed: .ci/ensure-venv.sh .ci/pywb.txt
	sh .ci/ensure-venv.sh $(PYTHON) .venv-pywb
	.venv-pywb/bin/python -m pip install --quiet --disable-pip-version-check --requirement .ci/pywb.txt
	touch $@

replay: $(VENV)/share/pressmark/replay/sw.js ## the engine that replays pages with their scripts, from npm, as it is

$(VENV)/share/pressmark/replay/sw.js: .ci/replay.sh .ci/replay.sha256 | $(VENV)/made
	sh .ci/replay.sh $(VENV)/share/pressmark/replay

clients: .venv-clients/installed ## other people's clients of web archives, which tests let ask ours; never part of the product

.venv-clients/installed: .ci/ensure-venv.sh .ci/clients.txt
	sh .ci/ensure-venv.sh $(PYTHON) .venv-clients
	.venv-clients/bin/python -m pip install --quiet --disable-pip-version-check --requirement .ci/clients.txt
	touch $@

check: dev ## types, lint, format, architecture
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

# Installing mostly waits, so that it is done beside the checks; the tests have the machine to themselves.
test: ## all tests and checks
	$(MAKE) --no-print-directory --jobs=4 --output-sync dev services replay pywb clients check lowest
	$(BIN)/python -m pytest -n 4 --dist worksteal

.venv-lowest/installed: .ci/ensure-venv.sh pyproject.toml $(LOWEST)
	sh .ci/ensure-venv.sh $(PYTHON) .venv-lowest
	.venv-lowest/bin/python -m pip install --quiet --disable-pip-version-check --requirement $(LOWEST) --editable .
	touch $@

lowest: .venv-lowest/installed ## the crawl tests on the lowest supported versions, in an environment of their own
	.venv-lowest/bin/python -m pytest tests/crawler/test_rules.py tests/crawler/test_wire.py tests/archive/test_extract.py tests/archive/test_warc.py -k "not theme_pages"

.venv-peers/installed: .ci/ensure-venv.sh .ci/peers.txt pyproject.toml
	sh .ci/ensure-venv.sh $(PYTHON) .venv-peers
	.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check --requirement .ci/peers.txt
	.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

peers: .venv-peers/installed ## other extractors, which bench/peers.py compares ours with; never part of the product

.venv-news-please/installed: .ci/ensure-venv.sh .ci/news-please.txt
	sh .ci/ensure-venv.sh $(PYTHON) .venv-news-please
	.venv-news-please/bin/python -m pip install --quiet --disable-pip-version-check --requirement .ci/news-please.txt
	touch $@

news-please: .venv-news-please/installed # a contender of bench/contest.py; never part of the product

bench: dev services pywb ## measurements; see bench/README.md
	sh .ci/apt.sh nginx-light wget
	-$(MAKE) --no-print-directory news-please
	$(BIN)/python bench/contest.py $(CONTEST)
	$(BIN)/python bench/polls.py
	$(BIN)/python bench/retrieve.py

lock: ## choose versions anew, highest and lowest
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile -q --universal --no-emit-index-url --no-header --no-annotate --group dev pyproject.toml -o $(LOCK)
	$(BIN)/uv pip compile -q --universal --no-emit-index-url --no-header --no-annotate --resolution lowest-direct --group lowest pyproject.toml -o $(LOWEST)

clean: ## what was made
	rm -rf $(VENV) .venv-lowest .venv-pywb .venv-clients .venv-news-please demo-data .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
