# causalrec: `make demo`, `make describe-source FILE=path`, `make test`, `make home DIR=path`, `make ui`; operating it: `make backfill`, `make sweep`, `make forget`
PYTHON ?= python3.11
LOGS ?= simulated
BIN := .venv/bin
HOME_OF_simulated := .home/demo
HOME_OF_obd := .home/obd
HOME_OF_movielens := .home/movielens
HOME_OF_kuairand := .home/kuairand
HOME_OF_kuairec := .home/kuairec

UI_HOME = $(if $(DIR),$(DIR),$(HOME_OF_$(LOGS)))
# What works on a home: DIR=path, else a demo's (LOGS=obd).
IN_HOME = CAUSALREC_HOME="$(abspath $(UI_HOME))" DAGSTER_HOME="$(abspath $(UI_HOME))/dagster" $(BIN)/python -W ignore -m

.PHONY: demo describe-source test home ui backfill sweep forget mlflow tour realism lint lock clean
.DELETE_ON_ERROR:

# The environment from the committed lock; made again when the lock or the project's metadata change.
.venv/installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

# The simulated shop; LOGS=obd; or a data set that you have: LOGS=movielens|kuairand|kuairec DIR=its folder
demo: .venv/installed
	@$(BIN)/python -W ignore -m causalrec_assets.demo --logs $(LOGS) $(if $(DIR),--dir "$(DIR)")

# What is in files of yours, and a draft of their sources.yaml: FILE=file or folder; or a home's landed files: DIR=home
describe-source: .venv/installed
	@test -n "$(FILE)$(DIR)" || { echo "name what to describe: make describe-source FILE=path, or DIR=home"; exit 1; }
	@$(BIN)/python -W ignore -m causalrec_assets.logs.describe $(if $(FILE),"$(FILE)") $(if $(DIR),--home "$(DIR)")

test: .venv/installed
	@$(BIN)/python -m pytest --numprocesses auto --dist loadfile

# A home for your own logs: make home DIR=path
home: .venv/installed
	@test -n "$(DIR)" || { echo "name a folder: make home DIR=path"; exit 1; }
	@$(BIN)/python -m causalrec_assets.home "$(DIR)"

# The Dagster UI on a demo's home (LOGS=obd), or on your own (DIR=path). Dagster reads .env before the environment.
ui: .venv/installed
	@test -d "$(UI_HOME)" || { echo "there is no $(UI_HOME): run 'make demo LOGS=$(LOGS)' or 'make home DIR=path' first"; exit 1; }
	@printf 'CAUSALREC_HOME=%s\nDAGSTER_HOME=%s/dagster\n' "$(abspath $(UI_HOME))" "$(abspath $(UI_HOME))" > .env
	$(BIN)/dagster dev -w workspace.yaml

# The days FROM to TO, without the UI: make backfill FROM=2026-03-02 TO=2026-03-15 [ONLY=logs] [WORKERS=2] [DIR=path]
backfill: .venv/installed
	@test -n "$(FROM)" -a -n "$(TO)" || { echo "name the days: make backfill FROM=2026-03-02 TO=2026-03-15"; exit 1; }
	@$(IN_HOME) causalrec_assets.backfill $(FROM) $(TO) $(if $(filter logs,$(ONLY)),--logs) $(if $(WORKERS),--workers $(WORKERS))

# Old versions, what killed runs left, old quarantine (data/lake.yaml): make sweep [DRY=yes] [DIR=path]
sweep: .venv/installed
	@$(IN_HOME) causalrec_assets.gate.retention $(if $(DRY),--dry-run)

# A user's rows leave the lake: make forget USER_ID=u17 [DIR=path]
forget: .venv/installed
	@test -n "$(USER_ID)" || { echo "name the user: make forget USER_ID=..."; exit 1; }
	@$(IN_HOME) causalrec_assets.forget "$(USER_ID)"

# The MLflow UI on a home's own store: make mlflow [DIR=path]
mlflow: .venv/installed
	$(BIN)/mlflow ui --backend-store-uri sqlite:///$(abspath $(UI_HOME))/mlflow.db

# A user's day in the real UI, driven by a headless Chromium; the pictures of docs/a-day.md.
tour: .venv/installed
	@$(BIN)/python -W ignore -m tests.tour

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The simulator's tails, rates and position curves beside real samples: make realism SAMPLES=folder [OUT=page.html]
realism: .venv/installed
	@test -n "$(SAMPLES)" || { echo "name the folder of the samples: make realism SAMPLES=path"; exit 1; }
	@$(BIN)/python -W ignore -m benchmarks.realism --data "$(SAMPLES)" $(if $(OUT),--out "$(OUT)")

# Pins for everything that pyproject.toml allows. torch is pinned without a build tag, so that a machine's own build (CPU, CUDA) is taken.
lock: .venv/installed
	$(BIN)/pip-compile --quiet --upgrade-package torch==2.13.0 --strip-extras --extra dev --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
		--no-annotate --no-header --output-file requirements.lock pyproject.toml
	sed -i 's/^\(torch==[0-9.]*\)+.*/\1/' requirements.lock

clean:
	rm -rf .home .env
