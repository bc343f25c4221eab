from datetime import date
from pathlib import Path

import polars as pl
import pytest

from causalrec.answers import ANSWERED, InputError
from causalrec_assets.lake.inputs import Table
from causalrec_assets.lake.releases import ReleaseLog
from causalrec_assets.lake.storage.pointer import Pointer
from causalrec_assets.lake.store import Store
from causalrec_assets.serving.released import (
    JUDGED_BY,
    TABLES,
    bundle_hash,
    check_lineage,
    make_bundle,
    recipe_of,
    same_recipe,
)

DAY = date(2026, 3, 15)
POLICY, OBJECTIVE = (
    {"temperature": 0.5, "slate_size": 5},
    {"satisfying": "click", "lambda": 0.5, "margin": 0.3},
)


def version(name, number=1, content="a", reads=(), edges=(("user_id", "click", "directed"),), **made_by):
    inputs = {f"table:{read}:{DAY}": f"hash of {read} a" for read in reads} | made_by
    pointer = Pointer(name, DAY, number, f"hash of {name} {content}", "data", 1, ANSWERED, {}, {}, inputs, "run")
    table = Table(Store(Path("unused")), pointer)
    table.__dict__["frame"] = pl.DataFrame(list(edges), schema=["source", "target", "mark"], orient="row")
    return table


def published(**changed):
    """One version of everything, each made from the others' current ones, but for the changed."""
    names = {name for pair in JUDGED_BY for name in pair}
    tables = {name: version(name, reads=[read for reader, read in JUDGED_BY if reader == name]) for name in names}
    return tables | changed


def bundle(**changed):
    return make_bundle(DAY, published(**changed), POLICY, OBJECTIVE)


def test_a_bundle_names_every_part_by_day_version_and_hash():
    made = bundle()
    assert made["partition"] == "2026-03-15"
    assert set(made["tables"]) == set(TABLES)
    assert made["tables"]["outcome_model"] == {
        "day": "2026-03-15",
        "pointer": 1,
        "hash": "hash of outcome_model a",
    }
    assert (made["policy"], made["objective"]) == (POLICY, OBJECTIVE)


def test_the_hash_is_stable_and_does_not_depend_on_the_order_of_keys():
    made = bundle()
    turned = {key: made[key] for key in reversed(made)}
    assert bundle_hash(made) == bundle_hash(turned) == bundle_hash(bundle())


def test_the_hash_is_the_one_that_the_release_log_writes(tmp_path):
    made = bundle()
    assert ReleaseLog(Store(tmp_path)).move(DAY, made, None).bundle_hash == bundle_hash(made)


@pytest.mark.parametrize("part", TABLES)
def test_every_part_changes_the_hash(part):
    assert bundle_hash(bundle(**{part: version(part, 2, "b")})) != bundle_hash(bundle())


def test_the_policy_and_the_objective_change_the_hash():
    made = bundle_hash(bundle())
    assert bundle_hash(make_bundle(DAY, published(), POLICY | {"temperature": 1.0}, OBJECTIVE)) != made
    assert bundle_hash(make_bundle(DAY, published(), POLICY, OBJECTIVE | {"lambda": 0.0})) != made


def test_a_chain_of_current_versions_holds():
    check_lineage(published())


@pytest.mark.parametrize(("reader", "read"), JUDGED_BY)
def test_a_part_that_was_made_again_after_it_was_judged_is_not_released(reader, read):
    newer = version(read, 2, "b", [name for by, name in JUDGED_BY if by == read])
    with pytest.raises(InputError, match=f"`{reader}` of 2026-03-15 was made from another version of `{read}`"):
        check_lineage(published(**{read: newer}), [(reader, read)])


def test_a_reader_that_never_read_the_part_is_refused():
    with pytest.raises(InputError, match="another version of `off_policy_report`"):
        check_lineage(published(evaluation_report=version("evaluation_report")))


def test_a_recipe_does_not_change_with_the_days_that_were_learned_from():
    newer = published(outcome_model=version("outcome_model", 2, "b", ["adjustment_sets"]))
    assert recipe_of(newer) == recipe_of(published())
    assert bundle_hash(make_bundle(DAY, newer, POLICY, OBJECTIVE)) != bundle_hash(bundle())


@pytest.mark.parametrize(
    "changed",
    [
        {"outcome_model": version("outcome_model", **{"code:outcome_model": "2"})},
        {"outcome_model": version("outcome_model", **{"setting:model.yaml": "2"})},
        {"item_embeddings": version("item_embeddings", encoder="other")},
        {"target_policy": version("target_policy", **{"setting:policy.yaml": "2"})},
        {"causal_graph": version("causal_graph", edges=[("user_id", "click", "undirected")])},
    ],
)
def test_code_settings_and_edges_make_another_recipe(changed):
    assert recipe_of(published(**changed)) != recipe_of(published())


def test_how_a_policy_was_judged_is_not_of_its_recipe():
    judged = version("target_policy", **{"code:target_policy": "2", "setting:sources.yaml": "2"})
    assert recipe_of(published(target_policy=judged)) == recipe_of(published())


def test_a_bundle_of_an_earlier_release_names_no_recipe_and_is_of_another():
    made = bundle()
    old = {key: value for key, value in made.items() if key != "recipe"}
    assert same_recipe(made, made)
    assert not same_recipe(made, old)
    assert not same_recipe(old, old)
    assert not same_recipe(made, None)
