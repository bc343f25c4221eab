"""The reference of all settings, from their models: `python -m causalrec_assets.commands.settings_reference > FILE`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from enum import Enum
from typing import Any, get_origin

from pydantic_core import PydanticUndefined

from causalrec.settings import models
from causalrec.settings.base import Settings
from causalrec.settings.faults import accepted, inner_model

HEAD = """# Settings

Made from the models in `causalrec/settings/`; after a change of one:
`python -m causalrec_assets.commands.settings_reference > docs/settings.md`.

Each file stands in a home's `data/` folder; a home that lacks one reads the file of the same name in the checkout's
`data/`. A file is read strictly: an unknown key, a key that is there twice or a value of another kind is refused, all
faults at once, each with its line. A setting without a default has to be stated.

Files of another form: `data/contracts/` ([a-day.md](a-day.md)), `expert_graph.yaml`
([causal-graph.md](causal-graph.md)) and `forgotten.yaml` ([operations.md](operations.md)).
"""
ENTRY: Mapping[Any, str] = {dict: ".NAME", tuple: "[]", list: "[]"}
"""How a key names one of what it holds several of."""


def reference(listed: Iterable[type[Settings]]) -> str:
    """The page, in Markdown.

    Raises:
        LookupError: A key of which nothing says what it does.
        TypeError: A key of which nothing says what it accepts.
    """
    files: dict[str, list[type[Settings]]] = {}
    for model in listed:
        files.setdefault(model.FILE, []).append(model)
    return "\n".join([HEAD, *(_section(file, parts) for file, parts in files.items())])


def _section(file: str, parts: list[type[Settings]]) -> str:
    first: dict[type[Settings], str] = {}
    rows = [row for part in parts for row in _rows(part, first)]
    lines = [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    return "\n".join(
        [
            f"## {file}\n",
            _sentence(parts[0]),
            "\n| key | must be | default | what it does |",
            "|---|---|---|---|",
            *lines,
            "",
        ]
    )


def _rows(
    model: type[Settings], first: dict[type[Settings], str], above: str = "", holds: object = None
) -> Iterator[tuple[str, str, str, str]]:
    """Key, what is accepted, default, and what it does, of a model and those in it.

    Args:
        first: Model of a section -> the key under which it is written out; where it comes again that is named.
        holds: The section where a file leaves it out.
    """
    docs = attribute_docs(model)
    for name, field in model.model_fields.items():
        if field.exclude:
            continue
        key = str(field.validation_alias or name)
        says = docs.get(key) or docs.get(name)
        if not says:
            raise LookupError(f"{model.__name__} says nothing about `{key}` under Attributes")
        default = getattr(holds, name, field.get_default(call_default_factory=True))
        inner = inner_model(field.annotation)
        if (seen := first.get(inner) if inner else None) is not None:
            says += f" Its keys are those of `{seen}`."
        yield f"`{above}{key}`", accepted(field), _default(default), says
        if inner is not None and seen is None:
            first[inner] = f"{above}{key}"
            entry = ENTRY.get(get_origin(field.annotation), "")
            yield from _rows(inner, first, f"{above}{key}{entry}.", default)


def attribute_docs(model: type[Settings]) -> Mapping[str, str]:
    """What stands under `Attributes:` of a model and of those it is derived from; `a, b:` speaks of both."""
    docs: dict[str, str] = {}
    for base in reversed(model.__mro__):
        _, _, listed = (vars(base).get("__doc__") or "").partition("Attributes:\n")
        for names, says in re.findall(r"^ {8}(\w[\w, ]*): (.*(?:\n {9,}.*)*)", listed, re.MULTILINE):
            docs |= dict.fromkeys(re.split(r",\s*", names), " ".join(says.split()))
    return docs


def _sentence(model: type[Settings]) -> str:
    return " ".join((model.__doc__ or "").partition("Attributes:")[0].split())


def _default(default: object) -> str:
    if default is PydanticUndefined:
        return ""
    return "as below" if isinstance(default, Settings) else f"`{_written(default)}`"


def _written(value: Any) -> str:
    """A value as a file writes it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Enum | date):
        return str(value)
    if isinstance(value, str):
        return value or '""'
    if isinstance(value, tuple | list | frozenset):
        return f"[{', '.join(map(_written, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {_written(inner)}' for key, inner in value.items())}}}"
    return f"{value:g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    print(reference(models()), end="")
