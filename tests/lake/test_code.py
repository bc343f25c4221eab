"""A table is stale when code that makes its values has changed, and current when any other code has."""

import re
import shutil
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from causalrec.answers import ANSWERED
from causalrec.home import Home
from causalrec.logs.landing.zone import LandingZone
from causalrec_assets.commands.home import create_home
from causalrec_assets.lake import code
from causalrec_assets.lake.code import CHECKOUT, OURS, WALLS, code_of, code_version
from causalrec_assets.lake.snapshot import Snapshot
from causalrec_assets.lake.storage.pointer import Version
from causalrec_assets.lake.store import open_store
from causalrec_assets.lake.windows import learning_window
from causalrec_assets.operate.assets import CODE_VERSIONS
from causalrec_assets.operate.automation import learning_parents, planner
from causalrec_assets.operate.planning import Planner
from tests.lake.code_modules import asset_modules, listing

MODULES = asset_modules()
LISTED = Path(__file__).with_name("code_modules.txt")
AIPW = "causalrec/estimators/effects/aipw.py"
DAY = date(2026, 3, 20)


@pytest.fixture
def checkout(tmp_path):
    """A copy of the packages, in which a test changes a file."""
    for name in OURS:
        shutil.copytree(CHECKOUT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def changed(root):
    """The assets whose code versions differ from those of this checkout."""
    return {asset for asset, module in MODULES.items() if code_version(module, root) != code_version(module)}


def test_a_copy_of_the_code_has_the_same_versions(checkout):
    assert changed(checkout) == set()


def test_a_comment_or_a_docstring_makes_nothing_stale(checkout):
    file = checkout / AIPW
    text = file.read_text()
    assert text.startswith('"""')
    # Of a module, of its functions, and a remark at the end.
    again = re.sub(r'"""(.*?)"""', r'"""Said in other words: \1"""', text, flags=re.DOTALL)
    file.write_text(again + "\n\n# Looked at again.\n")
    assert changed(checkout) == set()


def test_a_template_is_part_of_the_asset_that_renders_it(checkout):
    page = checkout / "causalrec/evaluation/report/report.html.j2"
    page.write_text(page.read_text() + "<!-- looked at again -->")
    assert changed(checkout) == {"evaluation_report"}


@pytest.fixture
def lake(tmp_path):
    """A home in whose lake all assets of a day are published, and all that they read."""
    from causalrec_assets.definitions import defs

    home = create_home(tmp_path / "home", "simulated")
    parents = learning_parents(defs.get_repository_def())
    window = Planner(home, LandingZone.of(home), Snapshot(open_store(home)), {})._window(DAY).days
    for name, days in (("items", [DAY]), ("users", [DAY]), ("history", [DAY]), ("units", window)):
        for day in days:
            publish(home, name, day, {f"code:{name}": CODE_VERSIONS[name]})
    for name, reads in parents.items():
        store = open_store(home)
        tables = {f"table:{read}:{DAY}": store.pointer(read, DAY).hash for read in reads if read in parents}
        publish(home, name, DAY, {f"code:{name}": CODE_VERSIONS[name], **tables})
    return home, parents


def publish(home: Home, table: str, day: date, inputs):
    store = open_store(home)
    staged = store.staging(table, day, "run")
    pl.DataFrame({"made": [table]}).write_parquet(staged)
    store.publish(staged, Version(table, day, 1, ANSWERED, {}, {}, inputs, "run"), after=0)


def test_doubling_the_aipw_estimate_rebuilds_effects_and_what_reads_them_and_leaves_the_logs(lake, checkout):
    home, parents = lake

    def of(root):
        look = {"code": lambda asset, _: code_version(MODULES[asset], root)}
        return Planner(home, LandingZone.of(home), Snapshot(open_store(home)), look, only=None)

    assert of(CHECKOUT).learning(DAY, parents).requests == ()
    file = checkout / AIPW
    file.write_text(file.read_text() + "\n\nTWICE = 2\n")
    assert changed(checkout) == {"effects", "effect_report", "evaluation_report"}
    (request,) = of(checkout).learning(DAY, parents).requests
    assert {"effects", "effect_report", "evaluation_report", "release"} <= set(request.assets)
    assert of(checkout).stale("effects", DAY) == "its input `code:effects` has changed"
    assert "effect_report: `effects` is built again" in request.why
    assert not {"discovered_graph", "treatment_propensities", "outcome_model", "target_policy"} & set(request.assets)
    for table in ("items", "users", "history", "units"):
        assert of(checkout).stale(table, DAY) is None


def test_a_version_of_a_release_that_hashed_folders_is_stale_and_readable(lake):
    home, _ = lake
    day = DAY + timedelta(days=1)
    publish(home, "units", day, {"code:logs": "c" * 64})
    assert planner(home, data_only=False).stale("units", day) == "its input `code:logs` has changed"
    assert planner(home, data_only=True).stale("units", day) is None
    store = open_store(home)
    assert store.read_frame(store.pointer("units", day))["made"].to_list() == ["units"]


def test_dagster_is_given_the_version_that_the_lake_records():
    assert {asset: code_version(module) for asset, module in MODULES.items()} == CODE_VERSIONS
    assert len(set(CODE_VERSIONS.values())) == len(MODULES)


def test_the_modules_behind_each_asset_are_those_that_were_looked_at():
    again = "python -m tests.lake.code_modules > tests/lake/code_modules.txt"
    assert listing() == LISTED.read_text(), f"look at what is stale with what now, and run `{again}`"


def test_what_publishes_refuses_shows_or_starts_is_part_of_no_version():
    for asset, module in MODULES.items():
        names = code_of(module).keys() - set(code.BEHIND_WALLS)
        for package in (
            "causalrec_assets.gate",
            "causalrec_assets.lake",
            "resources.tracking",
            "causalrec_assets.operate",
        ):
            assert not [name for name in names if f"{name}.".startswith(f"{package}.")], (asset, package)
        assert "causalrec_assets.common.gated" not in names
        assert ("causalrec.graph.drawing.picture" in names) == (asset == "causal_graph")
        assert ("causalrec.evaluation.plots" in names) == (asset == "evaluation_report")


def test_the_days_that_an_asset_learns_from_are_part_of_every_version():
    assert all(learning_window.__module__ in code_of(module) for module in MODULES.values())


def test_every_wall_stands_somewhere():
    for name in (*(wall.name for wall in WALLS), *(asset for wall in WALLS for asset in wall.inside_for)):
        path = CHECKOUT.joinpath(*name.split("."))
        assert path.is_dir() or path.with_suffix(".py").is_file(), name


def test_no_module_behind_an_asset_is_imported_by_a_name_that_only_running_it_tells():
    for module in {name for declared in MODULES.values() for name in code_of(declared)}:
        text = code._source(module, CHECKOUT).read_text()
        assert "import_module(" not in text and "__import__(" not in text, module


WALK = {
    "causalrec/__init__.py": "",
    "causalrec/a/__init__.py": "from causalrec.a.one import ONE\n",
    "causalrec/a/one.py": "import numpy as np\nONE = 1\n",
    "causalrec/a/two.py": "def f():\n    import causalrec.b.three\n    return causalrec.b.three.PAGE\n",
    "causalrec/b/__init__.py": "",
    "causalrec/b/three.py": "from ..a import one\nfrom . import four\nPAGE = 'page.j2'\n",
    "causalrec/b/four.py": "FOUR = 4\n",
    "causalrec/b/page.j2": "<p>",
    "causalrec/b/other.j2": "<p>",
    "causalrec/asset.py": "from causalrec.a import two\n",
    "causalrec/registry.py": "from causalrec.a import ONE\n",
    "causalrec_assets/__init__.py": "",
    "causalrec_assets/lake/__init__.py": "",
    "causalrec_assets/lake/windows.py": "",
}


@pytest.fixture
def small(tmp_path):
    for name, text in WALK.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)

    def modules(asset):
        code._module.cache_clear()
        code_version.cache_clear()
        return code_of(asset, tmp_path).keys() - set(code.BEHIND_WALLS), code_version(asset, tmp_path)

    return tmp_path, modules


def test_the_walk_follows_imports_within_functions_relative_ones_and_names_of_a_package(small):
    _, modules = small
    names, _ = modules("causalrec.asset")
    assert names == {"causalrec.asset", "causalrec.a.two", "causalrec.b.three", "causalrec.a.one", "causalrec.b.four"}
    names, _ = modules("causalrec.registry")
    assert names == {"causalrec.registry", "causalrec.a", "causalrec.a.one"}
    with pytest.raises(LookupError, match=r"causalrec\.nowhere has no source"):
        modules("causalrec.nowhere")


def test_a_file_beside_a_module_that_it_names_is_part_of_its_version(small):
    root, modules = small
    _, before = modules("causalrec.asset")
    (root / "causalrec/b/other.j2").write_text("<div>")
    assert modules("causalrec.asset")[1] == before
    (root / "causalrec/b/page.j2").write_text("<div>")
    assert modules("causalrec.asset")[1] != before


def test_another_release_of_a_numeric_package_makes_stale_what_imports_it(small, monkeypatch):
    _, modules = small
    before = {asset: modules(asset)[1] for asset in ("causalrec.asset", "causalrec.b.four")}
    released = {"numpy": "99.0+cpu"}
    monkeypatch.setattr(code, "version", lambda name: released.get(name, "1"))
    assert modules("causalrec.b.four")[1] == before["causalrec.b.four"]
    newer = modules("causalrec.asset")[1]
    assert newer != before["causalrec.asset"]
    # The same release, built for another processor.
    released["numpy"] = "99.0+cu124"
    assert modules("causalrec.asset")[1] == newer
