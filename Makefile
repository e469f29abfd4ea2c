# kulanz: `make demo`, `make test`, `make check`, `make bench`, `make nightly`, `make mutation`.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
POSTGRES := $(or $(KULANZ_TEST_POSTGRES_URL),postgresql://postgres@127.0.0.1:5432/postgres)

.PHONY: setup demo test check format bench messages nightly mutation

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@PYTHON="$(PYTHON)" scripts/setup.sh "$(VENV)"
	@touch $@

demo: setup
	@$(BIN)/kulanz demo $(if $(INVOICES),--invoices "$(INVOICES)") $(ARGS)

test: setup
	@$(BIN)/python scripts/test.py $(ARGS)

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry src
	@$(BIN)/python scripts/check_messages.py
	KULANZ_DATABASE_URL=sqlite:///build/check.db DJANGO_SETTINGS_MODULE=kulanz.config.settings $(BIN)/python -m django makemigrations --check --dry-run

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

messages: setup
	@for room in src/kulanz/*/locale; do $(BIN)/pybabel -q compile -D django -d $$room; done

bench: setup
	@$(BIN)/python scripts/bench.py $(TOPIC)

nightly: setup
	KULANZ_NIGHTLY=1 $(BIN)/python -m pytest -q tests/claims/test_claims_life.py tests/portal/test_portal_life.py

mutation: setup
	@$(BIN)/python scripts/mutation.py $(ARGS)
