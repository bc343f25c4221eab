"""What loading the definitions gives, and what it costs: every step of a multiprocess run loads them again."""

import json
import subprocess
import sys

import pytest

from causalrec.home import TEMPLATE, Home
from causalrec.settings.file import read_setting
from causalrec_assets.gate.contracts import parse_contract
from resources.compute import GPU_OP_TAGS, GPU_POOL
from tests.worlds import LEARNING, LOGS

HEAVY = (
    "torch",
    "lightning",
    "transformers",
    "great_expectations",
    "mlflow",
    "causallearn",
    "pandas",
    "sklearn",
    "matplotlib",
    "dagster_mlflow",
    "scipy",
    "networkx",
    "jinja2",
    "safetensors",
    "tensorboard",
    "wandb",
    "s3fs",
    "botocore",
)
ASSETS = {*LOGS, *LEARNING}


@pytest.fixture(scope="module")
def graph():
    from causalrec_assets.definitions import defs

    return defs.resolve_asset_graph()


def names(graph):
    return {key.path[-1] for key in graph.get_all_asset_keys()}


def test_exactly_these_assets_exist_and_the_landed_files_are_their_only_sources(graph):
    assert names(graph) - {"landed_events", "landed_items", "landed_users"} == ASSETS
    assert {key.path[-1] for key in graph.materializable_asset_keys} == ASSETS


def test_report_and_recommendations_are_due_every_day(graph):
    due = {key.path[-1] for key in graph.get_all_asset_keys() if graph.get(key).freshness_policy_or_from_metadata}
    assert due == {"evaluation_report", "recommendations"}


def test_every_asset_has_a_blocking_contract_check_per_partition(graph):
    specs = {
        (spec.asset_key.path[-1], spec.name): spec
        for node in graph.asset_check_keys
        for spec in [graph.get_check_spec(node)]
    }
    assert {asset for asset, check in specs if check == "contract"} == ASSETS
    assert all(specs[asset, "contract"].blocking for asset in ASSETS)


@pytest.mark.parametrize("table", sorted(ASSETS))
def test_every_contract_parses_and_every_rule_says_why_or_speaks_for_itself(table):
    contract = parse_contract(table, read_setting(Home(TEMPLATE / "nowhere"), f"contracts/{table}.yaml"))
    assert contract.about
    assert all(rule.why or rule.name for rule in contract.rules)


def test_there_is_no_contract_without_an_asset():
    assert {path.stem for path in (TEMPLATE / "contracts").glob("*.yaml")} == ASSETS


def test_training_assets_run_in_the_gpu_pool_with_gpu_tags():
    from causalrec_assets.definitions import defs

    for name in ("outcome_model", "item_embeddings"):
        op = defs.resolve_assets_def(name).op
        assert op.pool == GPU_POOL
        assert GPU_OP_TAGS.items() <= op.tags.items() or "dagster-k8s/config" in op.tags


def test_loading_the_definitions_imports_nothing_heavy():
    script = (
        "import json, sys; import causalrec_assets.definitions; "
        f"print(json.dumps([m for m in {HEAVY!r} if m in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", script], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == []
