"""docs/settings.md is what the models say."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Annotated, Any

import pytest

import causalrec.settings
from causalrec.home import CHECKOUT
from causalrec.settings.base import Settings
from causalrec.settings.kinds import whole
from causalrec_assets.commands.settings_reference import reference

PARTS = {"Allowance", "_SourceDays"}
"""They read a part of a file that another model has whole."""


def below(model: type[Settings]) -> Iterator[type[Settings]]:
    for inner in model.__subclasses__():
        yield inner
        yield from below(inner)


def test_the_page_is_made_from_the_models():
    again = "python -m causalrec_assets.commands.settings_reference > docs/settings.md"
    assert (CHECKOUT / "docs" / "settings.md").read_text() == reference(causalrec.settings.models()), again


def test_every_model_of_a_file_is_listed():
    for module in pkgutil.walk_packages(causalrec.settings.__path__, "causalrec.settings."):
        importlib.import_module(module.name)
    ours = {model for model in below(Settings) if model.FILE and model.__module__.startswith("causalrec.")}
    assert {model.__name__ for model in ours - set(causalrec.settings.models())} == PARTS


class Shelf(Settings):
    """One shelf.

    Attributes:
        rows, columns: Of its boxes;
            counted from 1.
    """

    rows: Annotated[int, whole(1)]
    columns: Annotated[int, whole(1)] = 4


class Store(Settings):
    """Where boxes stand.

    Attributes:
        shelves: By name.
    """

    FILE = "store.yaml"

    shelves: dict[str, Shelf]


def test_another_model_has_its_section():
    page = reference([Store])
    assert "## store.yaml\n\nWhere boxes stand.\n" in page
    assert "| `shelves` | a mapping of mappings with rows, columns |  | By name. |" in page
    assert "| `shelves.NAME.rows` | a whole number of at least 1 |  | Of its boxes; counted from 1. |" in page
    assert "| `shelves.NAME.columns` | a whole number of at least 1 | `4` | Of its boxes; counted from 1. |" in page


def test_a_key_of_which_nothing_is_said_is_refused():
    class Silent(Settings):
        FILE = "silent.yaml"
        key: bool

    class Wordless(Settings):
        """Attributes:
        key: Any.
        """

        FILE = "wordless.yaml"
        key: Any

    with pytest.raises(LookupError, match="says nothing about `key`"):
        reference([Silent])
    with pytest.raises(TypeError, match=r"give it a Must"):
        reference([Wordless])
