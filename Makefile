# causalrec: `make demo`, `make describe-source FILE=path`, `make check`, `make test`, `make home DIR=path`, `make ui`; operating it: `make backfill`, `make plan`, `make sweep`, `make forget`

# A value that somebody gives is text: it is taken as it stands, dollars and all (`value`), and commands read it from the
# environment ("$$DIR"). Nothing of it is ever pasted into a recipe, where the shell would run it, or expanded by make.
GIVEN := DIR DRY FILE FROM LOGS ONLY OUT PYTHON SAMPLES TO WORKERS
# These only where they are said to make itself: HOST or USER_ID are in many people's environment for other reasons.
SAID := BIN HOST PORT USER_ID
$(foreach name,$(SAID),$(if $(filter command,$(firstword $(origin $(name)))),,$(eval override $(name) :=)))
$(foreach name,$(GIVEN) $(SAID),$(eval override $(name) := $$(value $(name))))
override PYTHON := $(or $(PYTHON),python3.11)
override BIN := $(or $(BIN),.venv/bin)
override LOGS := $(or $(LOGS),simulated)
export $(GIVEN) $(SAID)

# What works on a home: DIR=path, else the one of a demo's logs: .home/obd for LOGS=obd. Python makes it absolute.
HOME_OF_LOGS := .home/$(if $(filter-out simulated,$(LOGS)),$(LOGS),demo)
ui backfill plan sweep forget mlflow: override export CAUSALREC_HOME := $(or $(DIR),$(HOME_OF_LOGS))
forget: override export CAUSALREC_USER_ID := $(USER_ID)
A_HOME = test -n "$$DIR" || test -d "$$CAUSALREC_HOME" || { echo "no demo has the logs LOGS=$$LOGS, or it is not made yet (there is no $$CAUSALREC_HOME): make demo LOGS=... makes it; or name a home of your own: DIR=path"; exit 1; }

.PHONY: demo describe-source check test home ui backfill plan sweep forget mlflow tour realism lint lock clean
.DELETE_ON_ERROR:

# The environment from the committed locks, each file by its hash; made again when a lock or the project's metadata change.
# The locks are whole, so that nothing is resolved. Of torch a machine's own build is taken: pip, which prefers files whose hash an
# index says, is asked for it first without hashes, and what it fetched is installed by its hash. PyPI's build for Linux
# requires NVIDIA's libraries; a CPU build does not.
PIP := .venv/bin/python -m pip --quiet --disable-pip-version-check
OWN := .venv/own
.venv/installed: requirements.lock requirements-cuda.lock pyproject.toml
	"$$PYTHON" -m venv .venv
	@rm -rf $(OWN) && mkdir $(OWN)
	@awk '/^[^ ]/ { own = /^torch==/ } own' requirements.lock > $(OWN)/torch.lock
	@awk '/^[^ ]/ { own = /^torch==/ } !own' requirements.lock > $(OWN)/others.lock
	@sed -n 's/^\(torch==[^ ]*\).*/\1/p' requirements.lock > $(OWN)/torch.txt
	$(PIP) download --no-deps --dest $(OWN) --requirement $(OWN)/torch.txt
	$(PIP) install --no-deps --require-hashes --no-index --find-links $(OWN) --requirement $(OWN)/torch.lock
	$(PIP) install --no-deps --require-hashes --requirement $(OWN)/others.lock
	.venv/bin/python -c "import importlib.metadata as m; raise SystemExit(any(r.startswith('nvidia-') for r in m.requires('torch') or ()))" \
		|| $(PIP) install --no-deps --require-hashes --requirement requirements-cuda.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	@rm -rf $(OWN)
	@touch $@

# The simulated shop; LOGS=obd; or a data set that you have: LOGS=movielens DIR=its folder. LOGS=? lists all.
demo: .venv/installed
	@"$$BIN/python" -W ignore -m causalrec_assets.commands.demo --logs="$$LOGS" $${DIR:+"--dir=$$DIR"}

# What is in files of yours, and a draft of their sources.yaml: FILE=file or folder; or a home's landed files: DIR=home
describe-source: .venv/installed
	@test -n "$$FILE$$DIR" || { echo "name what to describe: make describe-source FILE=path, or DIR=home"; exit 1; }
	@"$$BIN/python" -W ignore -m causalrec_assets.commands.describe_source $${DIR:+"--home=$$DIR"} $${FILE:+-- "$$FILE"}

# In half a minute: linters, types, import contracts, and the tests that load no Dagster, no torch and no expectations library
check: lint
	@"$$BIN/python" -m pytest -m pure --numprocesses auto --dist worksteal --durations 10

# All tests but those that take minutes each (`pytest -m slow`). Of several processes one takes all tests of a file, which share
# what they build (groups of tests, xdist 3.8's own way, are not kept under pytest 9.2, which ignores the name it gives them).
test: .venv/installed
	@"$$BIN/python" -m pytest --numprocesses auto --dist loadfile --durations 10

# A home for your own logs: make home DIR=path
home: .venv/installed
	@test -n "$$DIR" || { echo "name a folder: make home DIR=path"; exit 1; }
	@"$$BIN/python" -m causalrec_assets.commands.home "$$DIR"

# The Dagster UI on a demo's home (LOGS=obd), or on your own (DIR=path), on this machine only: [PORT=3000] [HOST=127.0.0.1]
ui: .venv/installed
	@$(A_HOME)
	@"$$BIN/python" -W ignore -m causalrec_assets.commands.ui $${HOST:+"--host=$$HOST"} $${PORT:+"--port=$$PORT"}

# The days FROM to TO, without the UI: make backfill FROM=2026-03-02 TO=2026-03-15 [ONLY=logs] [WORKERS=2] [DIR=path]
backfill: .venv/installed
	@test -n "$$FROM" && test -n "$$TO" || { echo "name the days: make backfill FROM=2026-03-02 TO=2026-03-15"; exit 1; }
	@$(A_HOME)
	@case "$$ONLY" in ""|logs) ;; *) echo "ONLY=$$ONLY: only ONLY=logs is known"; exit 1;; esac
	@"$$BIN/python" -W ignore -m causalrec_assets.commands.backfill $${ONLY:+--logs} $${WORKERS:+"--workers=$$WORKERS"} -- "$$FROM" "$$TO"

# Which gain a trial finds in how many weeks, and what more exploration would buy, from the lake's own variance: make plan [DIR=path]
plan: .venv/installed
	@$(A_HOME)
	@"$$BIN/python" -W ignore -m causalrec_assets.commands.plan

# Old versions, what killed runs left, old quarantine (data/lake.yaml): make sweep [DRY=yes] [DIR=path]
sweep: .venv/installed
	@$(A_HOME)
	@"$$BIN/python" -W ignore -m causalrec_assets.commands.sweep $${DRY:+--dry-run}

# A user's rows leave the lake: make forget USER_ID=u17 [DIR=path]. The id goes by the environment: processes are listed with their arguments.
forget: .venv/installed
	@test -n "$$USER_ID" || { echo "name the user: make forget USER_ID=..."; exit 1; }
	@$(A_HOME)
	@"$$BIN/python" -W ignore -m causalrec_assets.commands.forget

# The MLflow UI on a home's own store, on this machine only: make mlflow [DIR=path] [PORT=5000] [HOST=127.0.0.1]
mlflow: .venv/installed
	@$(A_HOME)
	@"$$BIN/python" -W ignore -m causalrec_assets.web.mlflow_server $${HOST:+"--host=$$HOST"} $${PORT:+"--port=$$PORT"}

# A user's day in the real UI, driven by a headless Chromium; the pictures of docs/a-day.md.
tour: .venv/installed
	@"$$BIN/python" -W ignore -m tests.tour

lint: .venv/installed
	"$$BIN/ruff" check .
	"$$BIN/ruff" format --check .
	"$$BIN/mypy"
	"$$BIN/lint-imports"

# The simulator's tails, rates and position curves beside real samples: make realism SAMPLES=folder [OUT=page.html]
realism: .venv/installed
	@test -n "$$SAMPLES" || { echo "name the folder of the samples: make realism SAMPLES=path"; exit 1; }
	@"$$BIN/python" -W ignore -m benchmarks.realism "--data=$$SAMPLES" $${OUT:+"--out=$$OUT"}

# Pins and hashes for everything that pyproject.toml allows, of all files of a version. torch is pinned without a build tag, so that a
# machine's own build (CPU, CUDA) is taken: the hashes of this machine's stand beside PyPI's and those that were locked elsewhere.
LOCK := .ci/lock.py --quiet --generate-hashes --strip-extras --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
	--no-annotate --no-header
lock: .venv/installed
	"$$BIN/python" $(LOCK) --upgrade-package torch==2.13.0 --unsafe-package pip --extra dev --output-file requirements.lock pyproject.toml
	"$$BIN/python" $(LOCK) --output-file requirements-cuda.lock requirements-cuda.in

clean:
	rm -rf .home .env
