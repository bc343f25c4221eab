from datetime import date
from pathlib import Path

import pytest

from causalrec.answers import ANSWERED, InputError
from causalrec_assets.lake.inputs import Table
from causalrec_assets.lake.releases import ReleaseLog
from causalrec_assets.lake.storage.pointer import Pointer
from causalrec_assets.lake.store import Store
from causalrec_assets.serving.released import JUDGED_BY, TABLES, bundle_hash, check_lineage, make_bundle

DAY = date(2026, 3, 15)
POLICY, OBJECTIVE = (
    {"temperature": 0.5, "slate_size": 5},
    {"satisfying": "click", "lambda": 0.5, "margin": 0.3},
)


def version(name, number=1, content="a", reads=()):
    inputs = {f"table:{read}:{DAY}": f"hash of {read} a" for read in reads}
    pointer = Pointer(name, DAY, number, f"hash of {name} {content}", "data", 1, ANSWERED, {}, {}, inputs, "run")
    return Table(Store(Path("unused")), pointer)


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
