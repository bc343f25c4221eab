"""Notes are dataclasses here and plain JSON in the lake; what was published before stays readable, byte for byte."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from causalrec.answers import Answer, not_available
from causalrec.embeddings.item_text import EmbeddingNotes
from causalrec.evaluation.notes import EffectReportNotes, OffPolicyNotes, VerdictNotes
from causalrec.graph.discovery.notes import DiscoveryNotes
from causalrec.graph.identification.table import AdjustmentNotes
from causalrec.graph.knowledge.notes import GraphNotes
from causalrec.hashing import canonical
from causalrec.logs.units.notes import UnitsNotes, UsersNotes
from causalrec.model.effects.notes import EffectsNotes, PropensitiesNotes
from causalrec.model.outcome.notes import OutcomeModelNotes
from causalrec.policy.notes import LeftOutNotes, PolicyNotes
from causalrec_assets.lake.notes import MissingNote, from_json, to_json
from causalrec_assets.serving.recommend import RecommendationsNotes
from causalrec_assets.serving.release import ReleaseNotes

ROOT = Path(__file__).resolve().parents[2]
PUBLISHED = json.loads((ROOT / "tests/lake/published_notes.json").read_text())
"""The notes of a small lake that was published when notes were plain mappings."""
KINDS = {
    "units": UnitsNotes,
    "users": UsersNotes,
    "item_embeddings": EmbeddingNotes,
    "discovered_graph": DiscoveryNotes,
    "causal_graph": GraphNotes,
    "adjustment_sets": AdjustmentNotes,
    "treatment_propensities": PropensitiesNotes,
    "effects": EffectsNotes,
    "outcome_model": OutcomeModelNotes,
    "target_policy": PolicyNotes,
    "off_policy_report": OffPolicyNotes,
    "off_policy_report without an answer": LeftOutNotes,
    "effect_report": EffectReportNotes,
    "evaluation_report": VerdictNotes,
    "release": ReleaseNotes,
    "recommendations": RecommendationsNotes,
}


@dataclass(frozen=True)
class Column:
    name: str
    same_as: str | None = None


@dataclass(frozen=True)
class Notes:
    rows: int
    seen: date
    columns: tuple[Column, ...]
    shares: tuple[tuple[str, str, float], ...]
    answers: Mapping[str, Answer]
    roles: Mapping[str, str]
    first: Column | None = None
    scores: Mapping[str, Mapping[str, float]] | None = None


NOTES = Notes(
    3,
    date(2026, 3, 2),
    (Column("a"), Column("b", "a")),
    (("a", "b", 0.5),),
    {"q": not_available("nobody logs it")},
    {"a": "pre_treatment"},
    Column("a"),
    {"click": {"model": 0.25}},
)
PLAIN = {
    "rows": 3,
    "seen": "2026-03-02",
    "columns": [{"name": "a", "same_as": None}, {"name": "b", "same_as": "a"}],
    "shares": [["a", "b", 0.5]],
    "answers": {"q": {"status": "not_available", "reason": "nobody logs it"}},
    "roles": {"a": "pre_treatment"},
    "first": {"name": "a", "same_as": None},
    "scores": {"click": {"model": 0.25}},
}


def test_notes_are_plain_json_and_come_back_as_they_were():
    assert to_json(NOTES) == PLAIN
    assert from_json(Notes, json.loads(canonical(to_json(NOTES)))) == NOTES


def test_keys_of_another_release_are_passed_over_and_defaults_fill_what_it_did_not_have():
    older = {key: PLAIN[key] for key in PLAIN if key not in ("first", "scores")}
    assert from_json(Notes, {**older, "of_a_later_release": [1]}).first is None


def test_a_note_that_is_needed_and_not_there_is_named():
    with pytest.raises(MissingNote) as missing:
        from_json(Notes, {key: PLAIN[key] for key in PLAIN if key != "answers"})
    assert missing.value.args == ("answers",)


def test_a_type_is_no_value():
    with pytest.raises(TypeError, match="`Notes` is a type"):
        to_json(Notes)


@pytest.mark.parametrize("table", KINDS)
def test_what_was_published_before_is_read_and_written_again_as_it_was(table):
    again = to_json(from_json(KINDS[table], PUBLISHED[table]))
    assert canonical(_known(again, PUBLISHED[table])) == canonical(PUBLISHED[table])


def _known(again, published):
    """What was written again, without the fields that have come since."""
    if isinstance(published, Mapping):
        return {key: _known(again[key], one) for key, one in published.items()}
    if isinstance(published, list):
        assert len(again) == len(published)
        return [_known(*pair) for pair in zip(again, published, strict=True)]
    return again


def test_every_table_that_wrote_notes_has_a_dataclass_for_them():
    assert PUBLISHED.keys() == KINDS.keys()


def test_nobody_reads_notes_by_key():
    by_key = re.compile(r"\bnotes(\[|\.get\()")
    places = {
        f"{path.relative_to(ROOT)}:{number}"
        for room in ("causalrec", "causalrec_assets", "resources", "benchmarks")
        for path in (ROOT / room).rglob("*.py")
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if by_key.search(line)
    }
    assert not places
