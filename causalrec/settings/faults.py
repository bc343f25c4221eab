"""What is wrong with a settings file, in words: file, key, what is accepted, what was given, and the line."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from types import NoneType
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin

from causalrec.masking import masked
from causalrec.settings.file import line_of
from causalrec.settings.kinds import Conflict, Must, Unknown, Wrong

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic.fields import FieldInfo

    from causalrec.settings.base import Settings

Keys = tuple[str | int, ...]
WORDS = {
    bool: "true or false",
    str: "a text (quote it if it looks like a number)",
    int: "a whole number",
    float: "a number",
    dict: "a mapping",
    list: "a list",
    tuple: "a list",
}
REFUSED = {"bool": bool, "string": str, "int": int, "float": float, "finite": float, "dict": dict, "list": list}
"""How pydantic's names of faults begin -> the type."""


def explain(error: ValidationError, model: type[Settings], settings: object, where: str) -> str:
    """Every fault of a file, one a line, in the order of the file.

    Args:
        settings: What was to be read; it may know its lines.
        where: The file.
    """
    faults = [_fault(fault, model, settings, where) for fault in error.errors(include_url=False)]
    return "\n".join(dict.fromkeys(says for _, says in sorted(faults, key=lambda fault: fault[0])))


def accepted(field: FieldInfo) -> str:
    """What a setting may be, in words; what follows "must be".

    Raises:
        TypeError: Nothing says so.
    """
    musts = [part for part in field.metadata if isinstance(part, Must)]
    return musts[-1].accepted if musts else _of_type(field.annotation)


def inner_model(annotation: Any) -> type[Settings] | None:
    """The model of a value, or of the values in its list or mapping; None where there is none."""
    # A model is known by what it can tell: to import it here would close a circle.
    if isinstance(annotation, type) and hasattr(annotation, "by_key"):
        return annotation
    return next((model for part in get_args(annotation) if (model := inner_model(part)) is not None), None)


def _of_type(annotation: Any) -> str:
    if get_origin(annotation) is Annotated:
        musts = [part for part in annotation.__metadata__ if isinstance(part, Must)]
        return musts[-1].accepted if musts else _of_type(get_args(annotation)[0])
    if len(there := [part for part in get_args(annotation) if part is not NoneType]) == 1 and NoneType in get_args(
        annotation
    ):
        return _of_type(there[0])
    kind, inner = get_origin(annotation) or annotation, inner_model(annotation)
    if kind is Literal:
        *others, last = map(str, get_args(annotation))
        return f"{', '.join(others)} or {last}" if others else last
    if inner is not None:
        mapping = f"with {', '.join(inner.by_key())}"
        return f"{WORDS[kind]} of mappings {mapping}" if kind in WORDS else f"a mapping {mapping}"
    if kind not in WORDS:
        raise TypeError(f"nothing says in words what {annotation} accepts; give it a Must(...)")
    return WORDS[kind]


def _fault(fault: Mapping[str, Any], model: type[Settings], settings: object, where: str) -> tuple[int, str]:
    """Its line, 0 where nobody knows it, and what to tell."""
    keys, kind, problem = tuple(fault["loc"]), str(fault["type"]), fault.get("ctx", {}).get("error")
    checked = _place(model, keys)[1]
    if isinstance(problem, Wrong | Conflict | Unknown) and problem.key:
        keys += tuple(int(key) if key.isdigit() else key for key in problem.key.split("."))
    place, key = _place(model, keys)
    field, around = _at(model, keys)
    if isinstance(problem, Conflict):
        says = problem.sentence.replace("{place}", checked)
    elif isinstance(problem, Unknown):
        says, keys = _unknown(key, problem.names, problem.known), (*keys, problem.names[0])
    elif isinstance(problem, Wrong):
        says = f"`{key}` must be {problem.accepted}, got {_shown(problem.given, secret=problem.secret)}"
    elif keys and keys[-1] == "[key]":
        says = f"`{_place(model, keys[:-2])[1]}`: the key `{keys[-2]}` is no text; put it in quotes"
        keys = keys[:-1]
    elif kind in ("extra_forbidden", "invalid_key"):
        says = _unknown(_place(model, keys[:-1])[1], [str(keys[-1])], around.by_key() if around else ())
    elif kind == "missing":
        says = f"`{key}` is missing; it must be {accepted(field) if field else 'there'}"
    else:
        words = accepted(field) if field else _of_value(model, keys, kind)
        says = f"{f'`{key}` ' if key else ''}must be {words}, got {_shown(fault['input'])}"
    line = line_of(settings, keys)
    return line or 0, f"{where}{place}: {says}" + (f" (line {line})" if line is not None else "")


def _of_value(model: type[Settings], keys: Keys, refused: str) -> str:
    """What a value in a list or in a mapping of names must be."""
    annotation: Any = model
    for key in keys:
        annotation = _inside(annotation, key)
    kind = refused.partition("_")[0]
    return _of_type(annotation) if annotation is not None else WORDS[REFUSED[kind]] if kind in REFUSED else "another"


def _place(model: type[Settings], keys: Keys) -> tuple[str, str]:
    """Which entry of a list, if keys lead into one, and the key in it with dots."""
    place = ""
    names: list[str] = []
    annotation: Any = model
    for key in keys:
        annotation = _inside(annotation, key)
        if isinstance(key, int) and (inner := inner_model(annotation)) is not None:
            entry = f"{inner.NAME} {key + 1}" if inner.NAME else f"entry {key + 1} of `{'.'.join(names)}`"
            place, names = f"{place}, {entry}", []
        else:
            names.append(str(key + 1 if isinstance(key, int) else key))
    return place, ".".join(names)


def _at(model: type[Settings], keys: Keys) -> tuple[FieldInfo | None, type[Settings] | None]:
    """The field that keys lead to, and the model that it is one of; None for what is in a plain list or mapping."""
    annotation: Any = model
    for key in keys[:-1]:
        annotation = _inside(annotation, key)
    around = _as_model(annotation)
    return (around.by_key().get(str(keys[-1])) if around and keys else None), around


def _inside(annotation: Any, key: str | int) -> Any:
    """The type of what stands under a key."""
    model = _as_model(annotation)
    if model is None:
        return inner_model(annotation)
    field = model.by_key().get(str(key))
    return field.annotation if field else None


def _as_model(annotation: Any) -> type[Settings] | None:
    plain = [part for part in get_args(annotation) if part is not NoneType] or [annotation]
    return inner_model(plain[0]) if get_origin(annotation) not in (dict, list, tuple) else None


def _unknown(section: str, names: Sequence[str], known: Iterable[str]) -> str:
    listed = ", ".join(f"`{name}`" for name in names)
    where = f"`{section}`: " if section else ""
    return f"{where}unknown key {listed}; known are {', '.join(_nearest(names[0], known))}"


def _nearest(key: str, known: Iterable[str]) -> list[str]:
    """Known keys, those that are spelled like the key first."""
    names = sorted(known)
    near = difflib.get_close_matches(key, names)
    return [*near, *(name for name in names if name not in near)]


def _shown(given: object, *, secret: bool = False) -> str:
    return f"a {type(given).__name__}" if secret else masked(repr(given))
