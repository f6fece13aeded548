# Everything runs in the project's own environment, .venv; nothing else need be installed before
# but Python 3.11 or newer with venv, and make.
PYTHON ?= python3
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Compiling all modules anew in each process costs the tests more than a minute of CPU.
unexport PYTHONDONTWRITEBYTECODE

# What the package is made from besides Python: a change of these installs it anew.
MADE_FROM := pyproject.toml hatch_build.py package-lock.json \
	$(wildcard src/keepstep/web/locale/*/LC_MESSAGES/*.po)

LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url pyproject.toml

.PHONY: install install-dev demo test soak simulate check bench lock messages screenshots clean

install: .venv/.installed  ## the product: .venv/bin/keepstep
install-dev: .venv/.installed-dev  ## the product with what its tests need

.venv/.installed: requirements/run.txt $(MADE_FROM)
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/run.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

.venv/.installed-dev: requirements/dev.txt $(MADE_FROM)
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@ .venv/.installed

demo: install  ## the main job, live, against a simulated Exchange
	$(BIN)/keepstep demo

test: install-dev check  ## everything a change must pass
	scripts/with-browser scripts/with-postgresql $(BIN)/python -m pytest -n 4 --dist worksteal tests

soak: install-dev  ## the same random tests, ten times longer and more
	KEEPSTEP_SOAK=1 scripts/with-browser scripts/with-postgresql $(BIN)/python -m pytest -n 4 --dist worksteal tests

simulate: install-dev  ## SEEDS random stories under virtual time
	$(BIN)/python -m tests.simulation --seeds $(or $(SEEDS),10000) --jobs 2

check: install-dev  ## lint, format, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	KEEPSTEP_HOME=$$(mktemp -d) $(BIN)/mypy
	$(BIN)/lint-imports

bench: install-dev  ## figures beside a rival's and the limit, from one run; BENCH: its options
	scripts/with-postgresql $(BIN)/python -m benchmarks $(BENCH)

screenshots: install-dev  ## each page at the width of a desktop and of a phone
	scripts/with-browser $(BIN)/python -m tests.web.screenshots $(or $(TO),build/screenshots)

messages: install-dev  ## bring the translations' list of words up to date
	KEEPSTEP_HOME=$$(mktemp -d) DJANGO_SETTINGS_MODULE=keepstep.settings $(BIN)/python -m tests.web.words

lock: install-dev  ## renew the hashed lists of requirements
	$(BIN)/python -m pip install --quiet uv
	$(LOCK) --group dev --extra otel -o requirements/dev.txt
	$(LOCK) --constraints requirements/dev.txt --group build -o requirements/run.txt
	$(LOCK) --constraints requirements/run.txt -o requirements/product.txt
	$(LOCK) --constraints requirements/dev.txt --extra otel -o requirements/otel.txt

clean:
	rm -rf .venv build dist node_modules src/keepstep/web/static/vendor
	rm -f src/keepstep/web/locale/*/LC_MESSAGES/*.mo
