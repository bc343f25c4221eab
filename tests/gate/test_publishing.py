"""Write, audit, publish: what holds is published; what does not is kept with its reasons, and nobody can read it."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl
import pytest

from causalrec.answers import InputError, not_available
from causalrec_assets.gate.draft import Draft
from causalrec_assets.gate.publishing import write_audit_publish
from causalrec_assets.lake.inputs import MissingDay
from causalrec_assets.lake.store import PublishRace
from tests.gate.conftest import DAY

GOOD = pl.DataFrame(
    {"id": ["a", "b"], "click": [1, 0], "purchase": [1, 0], "share": [0.5, 1.0]},
    schema={"id": pl.String, "click": pl.Int8, "purchase": pl.Int8, "share": pl.Float64},
)


@dataclass(frozen=True)
class Notes:
    roles: Mapping[str, str]


@dataclass(frozen=True)
class LaterNotes(Notes):
    clusters: int


def draft(inputs, frame=GOOD, **options):
    params = {"nested_outcomes": True, "expected_rows": 2} | options.pop("params", {})
    return Draft(inputs, frame, params=params, **options)


def broken_rules(outcome):
    return sorted(finding.rule for finding in outcome.audit.broken)


def test_a_table_that_holds_is_published_and_read_back(attempt):
    notes = Notes({"click": "outcome"})
    outcome = write_audit_publish(draft(attempt(), notes=notes, files={"card.json": b"{}"}))
    table = attempt("run-2").table("sales")
    assert outcome.refusal is None
    assert table.frame.equals(GOOD)
    assert outcome.pointer.notes == {"roles": {"click": "outcome"}}
    assert table.notes_as(Notes) == notes
    assert table.file("card.json") == b"{}"


def test_a_note_that_an_older_release_did_not_write_says_which_table_to_make_again(attempt):
    write_audit_publish(draft(attempt(), notes=Notes({})))
    with pytest.raises(InputError, match=r"`sales` of 2026-03-02 has no note `clusters`.*materialise it again"):
        attempt("run-2").table("sales").notes_as(LaterNotes)


@pytest.mark.parametrize(
    ("fault", "rule"),
    [
        (GOOD.with_columns(id=pl.lit("a")), "column_values_to_be_unique(id)"),
        (GOOD.with_columns(share=pl.lit(None, pl.Float64)), "column_values_to_not_be_null(share)"),
        (GOOD.with_columns(share=pl.lit(float("nan"))), "column_values_to_not_be_null(share)"),
        (GOOD.with_columns(share=pl.lit(0.0)), "column_values_to_be_between(share)"),
        (GOOD.with_columns(click=pl.lit(0, pl.Int8)), "nested"),
        (GOOD.head(1), "table_row_count_to_equal"),
        (GOOD.drop("share"), "schema"),
        (GOOD.with_columns(click=pl.col("click").cast(pl.Int64)), "schema"),
        (GOOD.with_columns(extra=pl.lit(1)), "schema"),
    ],
)
def test_a_fault_is_refused_by_its_rule_and_nothing_is_published(attempt, fault, rule):
    outcome = write_audit_publish(draft(attempt(), fault))
    assert rule in broken_rules(outcome)
    with pytest.raises(MissingDay, match="newest attempt was refused"):
        attempt("run-2").table("sales")


def test_the_last_good_version_stays_readable_with_a_warning_and_a_good_rerun_heals(attempt):
    write_audit_publish(draft(attempt("run-1")))
    write_audit_publish(draft(attempt("run-2"), GOOD.with_columns(share=pl.lit(0.0))))
    reader = attempt("run-3")
    assert reader.table("sales").frame.equals(GOOD)
    assert "read in its last good version (1)" in reader.warnings[0]
    write_audit_publish(draft(attempt("run-4"), GOOD.with_columns(share=pl.lit(0.25))))
    healed = attempt("run-5")
    assert healed.table("sales").number == 2
    assert healed.warnings == []


def test_a_refusal_keeps_the_offending_rows_and_the_whole_draft(attempt, store):
    outcome = write_audit_publish(draft(attempt(), GOOD.with_columns(share=pl.Series([0.5, 7.0]))))
    folder = f"quarantine/sales/day={DAY}/run-1"
    assert str(outcome.refusal.folder) == str(store.objects.where(folder))
    kept = pl.read_parquet(io.BytesIO(store.objects.read(f"{folder}/offending_rows.parquet")))
    assert kept["id"].to_list() == ["b"]
    assert pl.read_parquet(io.BytesIO(store.objects.read(f"{folder}/table.parquet"))).height == 2
    assert json.loads(store.objects.read(f"{folder}/refusal.json"))["after_pointer"] == 0


def test_rows_that_are_set_aside_are_kept_and_nothing_stays_in_staging(attempt, store):
    outcome = write_audit_publish(draft(attempt(), set_aside=pl.DataFrame({"reason": ["no item"]})))
    kept = store.objects.read(f"quarantine/sales/day={DAY}/run-1/set_aside.parquet")
    assert pl.read_parquet(io.BytesIO(kept))["reason"].to_list() == ["no item"]
    assert outcome.pointer.set_aside == 1
    assert [path for path in store.staging_folder.rglob("*") if path.is_file()] == []


def test_a_rule_that_is_not_asked_for_is_said_to_be_skipped(attempt):
    outcome = write_audit_publish(
        draft(attempt(), GOOD.with_columns(click=pl.lit(0, pl.Int8)), params={"nested_outcomes": False})
    )
    assert outcome.pointer is not None
    assert [f.rule for f in outcome.audit.findings if f.skipped] == ["nested"]


def test_an_answerable_rule_warns_and_never_blocks(attempt):
    quiet = GOOD.with_columns(click=pl.lit(0, pl.Int8), purchase=pl.lit(0, pl.Int8))
    outcome = write_audit_publish(draft(attempt(), quiet))
    assert outcome.pointer is not None
    assert [f.rule for f in outcome.audit.warnings if not f.held] == ["any_click"]


def test_a_table_with_no_rows_carries_its_answer(attempt):
    write_audit_publish(draft(attempt(), None, answer=not_available("no user id"), params={"expected_rows": 0}))
    table = attempt("run-2").table("sales")
    assert table.frame.is_empty()
    assert table.answer.reason == "no user id"


def test_no_rows_and_no_answer_is_an_error(attempt):
    with pytest.raises(InputError, match="no rows and no answer"):
        write_audit_publish(draft(attempt(), None))


def test_a_rule_that_names_an_unknown_parameter_is_an_error_not_a_pass(attempt):
    with pytest.raises(InputError, match="refers to `expected_rows`"):
        write_audit_publish(Draft(attempt(), GOOD, params={"nested_outcomes": True}))


def test_of_two_runs_at_once_one_wins_and_the_other_says_so(attempt):
    first, second = attempt("run-1"), attempt("run-2")
    write_audit_publish(draft(first))
    with pytest.raises(PublishRace, match="another run published version 1"):
        write_audit_publish(draft(second))
    assert attempt().store.numbers("sales", DAY) == [1]


def test_the_same_rows_have_the_same_hash_and_other_notes_another(attempt):
    one = write_audit_publish(draft(attempt("run-1"))).pointer
    two = write_audit_publish(draft(attempt("run-2"))).pointer
    three = write_audit_publish(draft(attempt("run-3"), notes=Notes({"click": "outcome"}))).pointer
    assert one.hash == two.hash != three.hash


def test_a_hole_in_a_window_stops_with_the_days_name(attempt):
    write_audit_publish(draft(attempt()))
    with pytest.raises(MissingDay, match="2026-03-03"):
        attempt("run-2").window("sales", [DAY, date(2026, 3, 3)])
