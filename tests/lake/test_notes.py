"""Notes are dataclasses here and plain JSON in the lake; versions of other releases stay readable."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import pytest

from causalrec.answers import Answer, not_available
from causalrec.hashing import canonical
from causalrec_assets.lake.notes import MissingNote, from_json, to_json


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
