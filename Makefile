# causalrec: `make demo`, `make demo LOGS=obd`, `make test`, `make home DIR=path`, `make ui`
PYTHON ?= python3.11
LOGS ?= simulated
BIN := .venv/bin
HOME_OF_simulated := .home/demo
HOME_OF_obd := .home/obd

UI_HOME = $(if $(DIR),$(DIR),$(HOME_OF_$(LOGS)))

.PHONY: demo test home ui lint lock clean
.DELETE_ON_ERROR:

# The environment from the committed lock; made again when the lock or the project's metadata change.
.venv/installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

demo: .venv/installed
	@$(BIN)/python -W ignore -m causalrec_assets.demo --logs $(LOGS)

test: .venv/installed
	@$(BIN)/python -m pytest

# A home for your own logs: make home DIR=path
home: .venv/installed
	@test -n "$(DIR)" || { echo "name a folder: make home DIR=path"; exit 1; }
	@$(BIN)/python -m causalrec_assets.home "$(DIR)"

# The Dagster UI on a demo's home (LOGS=obd), or on your own (DIR=path). Dagster reads .env before the environment.
ui: .venv/installed
	@test -d "$(UI_HOME)" || { echo "there is no $(UI_HOME): run 'make demo LOGS=$(LOGS)' or 'make home DIR=path' first"; exit 1; }
	@printf 'CAUSALREC_HOME=%s\nDAGSTER_HOME=%s/dagster\n' "$(abspath $(UI_HOME))" "$(abspath $(UI_HOME))" > .env
	$(BIN)/dagster dev -w workspace.yaml

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Pins for everything that pyproject.toml allows. torch is pinned without a build tag, so that a machine's own build (CPU, CUDA) is taken.
lock: .venv/installed
	$(BIN)/pip-compile --quiet --upgrade-package torch==2.13.0 --strip-extras --extra dev --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
		--no-annotate --no-header --output-file requirements.lock pyproject.toml
	sed -i 's/^\(torch==[0-9.]*\)+.*/\1/' requirements.lock

clean:
	rm -rf .home .env
