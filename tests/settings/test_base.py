"""A model of a settings file tells everything that is wrong with one, in its own words and with lines."""

from __future__ import annotations

import traceback
from datetime import date
from typing import Annotated, Literal, Self

import pytest
from pydantic import Field, model_validator

from causalrec.answers import InputError
from causalrec.home import Home
from causalrec.settings.base import Settings
from causalrec.settings.file import parse_yaml
from causalrec.settings.kinds import Clock, Conflict, Day, Must, Names, Text, Wrong, Zone, number, whole


class Kept(Settings):
    versions: Annotated[int, whole(1)] = 5
    label: str = ""


class Asked(Settings):
    NAME = "question"

    treatment: Text
    held: Names = ()
    weight: Annotated[float | None, Must("a number or left out")] = Field(None, validation_alias="lambda")


class Shop(Settings):
    FILE = "shop.yaml"

    folds: Annotated[int, whole(3)]
    bound: Annotated[float, number(0, 0.5, "()")] = 0.1
    at: Clock = (3, 30)
    zone: Zone = "UTC"
    first: Day = date(2026, 3, 2)
    rule: Literal["any", "best", "all"] = "any"
    flag: bool = False
    kept: Kept = Kept()
    questions: tuple[Asked, ...] = Field((), strict=False)
    per: dict[str, Kept] = Field(default_factory=dict)
    columns: dict[str, str] = Field(default_factory=dict)
    password: Annotated[str, Must("a text", secret=True)] = ""

    @model_validator(mode="after")
    def _together(self) -> Self:
        if self.folds == 4:
            raise Wrong("kept.versions", "above the folds", self.kept.versions)
        if self.folds == 5:
            raise Conflict("kept.versions", "`folds` is 5, and so is `kept.versions`; change one")
        return self


def refusal(text: str) -> str:
    with pytest.raises(InputError) as refused:
        Shop.parse(parse_yaml(text, "shop.yaml"))
    shown = "".join(traceback.format_exception(refused.value))
    assert "pydantic" not in shown and "hunter2" not in shown
    return str(refused.value)


def test_a_file_is_read(tmp_path):
    home = Home(tmp_path)
    home.data.mkdir()
    text = 'folds: 3\nbound: 0.25\nat: "7:05"\nfirst: 2026-03-04\nquestions:\n- treatment: x\n  held: [a]\n  lambda: 3'
    (home.data / "shop.yaml").write_text(text)
    shop = Shop.read(home)
    assert (shop.folds, shop.bound, shop.at, shop.first) == (3, 0.25, (7, 5), date(2026, 3, 4))
    assert shop.questions == (Asked(treatment="x", held=("a",), weight=3.0),)
    assert shop.kept == Kept(versions=5)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("folds: 2", "`folds` must be a whole number of at least 3, got 2 (line 1)"),
        ("folds: true", "`folds` must be a whole number of at least 3, got True (line 1)"),
        ("folds: '3'", "`folds` must be a whole number of at least 3, got '3' (line 1)"),
        ("folds: 3.0", "`folds` must be a whole number of at least 3, got 3.0 (line 1)"),
        ("bound: 0.5", "`bound` must be a number in (0, 0.5), got 0.5 (line 2)"),
        ("at: 3:30", '`at` must be a time of day in quotes, such as "03:30", got 210 (line 2)'),
        ("zone: Mars", "`zone` must be the name of a time zone such as UTC or Europe/Berlin, got 'Mars' (line 2)"),
        ("first: 2026-03-02 10:00:00", "`first` must be a date such as 2026-03-02, got datetime"),
        ("first: '2026-03-02'", "`first` must be a date such as 2026-03-02, got '2026-03-02' (line 2)"),
        ("rule: worst", "`rule` must be any, best or all, got 'worst' (line 2)"),
        ("flag: 1", "`flag` must be true or false, got 1 (line 2)"),
        ("kept: 3", "`kept` must be a mapping with versions, label, got 3 (line 2)"),
        ("kept:\n  versions: 0", "`kept.versions` must be a whole number of at least 1, got 0 (line 3)"),
        ("kept:\n  labl: x", "`kept`: unknown key `labl`; known are label, versions (line 3)"),
        ("per: {x: {versions: 0}}", "`per.x.versions` must be a whole number of at least 1, got 0 (line 2)"),
        ("per: {x: 3}", "`per.x` must be a mapping with versions, label, got 3 (line 2)"),
        ("per: []", "`per` must be a mapping of mappings with versions, label, got a list of 0 value(s) (line 2)"),
        ("columns:\n  a: 3", "`columns.a` must be a text (quote it if it looks like a number), got 3 (line 3)"),
        ("columns: {1: a}", "`columns`: the key `1` is no text; put it in quotes (line 2)"),
        ("questions: 3", "`questions` must be a list of mappings with treatment, held, lambda, got 3 (line 2)"),
        ("questions:\n- treatment: x\n- 3", "question 2: must be a mapping with treatment, held, lambda, got 3"),
        (
            "questions:\n- treatment: x\n- {treatment: x, held: a}",
            "question 2: `held` must be a list of names",
        ),
        ("questions:\n- treatment: x\n  weight: 1", "question 1: unknown key `weight`; known are held, lambda"),
        ("questions:\n- {}", "question 1: `treatment` is missing; it must be a text"),
        ("password: [hunter2]", "`password` must be a text, got a Entries (line 2)"),
        ("zone: https://me:hunter2@x", "got 'https://***@x' (line 2)"),
        ("flg: 1", "unknown key `flg`; known are flag, at, bound, columns, first, folds"),
        ("bound: .inf", "a number must be finite"),
    ],
)
def test_a_fault_is_told_with_file_line_key_what_is_accepted_and_what_was_given(line, says):
    message = refusal(line if line.startswith("folds") else f"folds: 3\n{line}")
    assert says in message and message.startswith("shop.yaml") and "\n" not in message


def test_all_faults_of_a_file_are_told_at_once_in_the_order_of_its_lines():
    assert refusal("flag: 3\nflg: true\nzone: Mars\n").splitlines() == [
        "shop.yaml: `folds` is missing; it must be a whole number of at least 3",
        "shop.yaml: `flag` must be true or false, got 3 (line 1)",
        "shop.yaml: unknown key `flg`; known are flag, at, bound, columns, first, folds, kept, password, per, "
        "questions, rule, zone (line 2)",
        "shop.yaml: `zone` must be the name of a time zone such as UTC or Europe/Berlin, got 'Mars' (line 3)",
    ]


def test_what_does_not_go_together_is_told_at_the_key():
    assert refusal("folds: 4\nkept:\n  versions: 2") == (
        "shop.yaml: `kept.versions` must be above the folds, got 2 (line 3)"
    )
    assert refusal("kept: {versions: 5}\nfolds: 5") == (
        "shop.yaml: `folds` is 5, and so is `kept.versions`; change one (line 1)"
    )


def test_what_a_program_made_has_no_lines():
    with pytest.raises(InputError, match=r"^its.yaml: `folds` must be a whole number of at least 3, got 2$"):
        Shop.parse({"folds": 2}, "its.yaml")


def test_an_attributes_name_is_no_key_of_the_file_and_a_program_may_use_it():
    assert Asked(treatment="x", weight=2).weight == 2
    with pytest.raises(InputError, match="unknown key `weight`"):
        Asked.parse({"treatment": "x", "weight": 2.0})
