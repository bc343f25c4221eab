"""The settings that shaped a report: each with its value, and whether the home states it or it is a default."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_origin

from pydantic_core import PydanticUndefined, to_jsonable_python

from causalrec.settings.base import Settings
from causalrec.settings.discovery import Search
from causalrec.settings.faults import inner_model
from causalrec.settings.learning import Learning
from causalrec.settings.logs.calendar import Calendar
from causalrec.settings.logs.cleaning import CleaningRules
from causalrec.settings.logs.covariates import Covariates
from causalrec.settings.logs.sources import Source
from causalrec.settings.model import ModelSettings
from causalrec.settings.objective import Objective
from causalrec.settings.policy import PolicyConfig
from causalrec.settings.questions import Questions
from causalrec.settings.release import ReleaseRule

STATED, DEFAULT, FIXED = "stated", "default", "fixed"
CONFIDENCE = 0.95
"""Of every interval of the reports (`estimators.intervals`)."""
MODELS: dict[str, type[Settings] | None] = {
    "sources.yaml": Source,
    "cleaning.yaml": CleaningRules,
    "calendar.yaml": Calendar,
    "covariates.yaml": Covariates,
    "questions.yaml": Questions,
    "discovery.yaml": Search,
    "expert_graph.yaml": None,
    "learning.yaml": Learning,
    "model.yaml": ModelSettings,
    "objective.yaml": Objective,
    "policy.yaml": PolicyConfig,
    "release.yaml": ReleaseRule,
}
"""Of each file, in the order of what they shape; None: what experts say is no setting."""
FILES = tuple(MODELS)
OF_THE_SOURCE = (
    "time_zone",
    "sparse",
    "organic_rows",
    "purchase_needs_click",
    "context",
    "users.kinds",
    "users.sensitive",
    "outcomes",
    "history_days",
    "rate_prior",
    "held_out_policies",
    "holdout",
    "cluster",
    "missing",
    "float_ids",
)
"""What of `sources.yaml` is a choice (the rest is names of columns)."""
EXPERTS = ("tiers", "required", "forbidden", "settled", "hidden")
UNSTATED = "not stated"


@dataclass(frozen=True)
class Stated:
    """One setting.

    Attributes:
        file, key: Where it stands, or would: a file of `data/`, and the key in it with dots; no file for what is fixed
            in the code.
        value: In words.
        how: `stated` by the home, a `default`, or `fixed`.
        changed: Tables that were made from another version of the file.
    """

    file: str
    key: str
    value: str
    how: str
    changed: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.file}: {self.key}" if self.file else self.key


def settings_stated(
    homes: Mapping[str, Mapping[str, Any]],
    templates: Mapping[str, Mapping[str, Any]],
    changed: Mapping[str, Sequence[str]] | None = None,
) -> list[Stated]:
    """Every setting that shapes what is learned and judged, in the order of the files.

    A home states what its file says otherwise than the template. A value that is the default is one, whoever wrote it.

    Args:
        homes: File -> what the home's own says; left out where the home has none.
        templates: File -> what the template says.
        changed: File -> the tables that were made from another version of it.
    """
    settings = []
    for file in FILES:
        tables = tuple((changed or {}).get(file, ()))
        own, template = homes.get(file, {}), templates.get(file, {})
        settings += [Stated(file, key, value, how, tables) for key, value, how in _of_file(file, own, template)]
    fixed = {
        "confidence level of every interval": f"{CONFIDENCE:.0%}",
        "clipping of the importance weights that judge policies": "none",
    }
    return [*settings, *(Stated("", name, value, FIXED) for name, value in fixed.items())]


def _of_file(file: str, own: Mapping[str, Any], template: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    if file == "sources.yaml":
        for key in OF_THE_SOURCE:
            value, default = _at(own, key), default_of(Source, key)
            yield key, _words(default if value is None else value), DEFAULT if value in (None, default) else STATED
        return
    if file == "expert_graph.yaml":
        entries = [(kind, entry) for kind in EXPERTS for entry in own.get(kind) or ()]
        yield "conflicts", *_value(own, template, "conflicts")
        for kind, entry in entries:
            yield kind, _entry(entry), STATED
        if not entries:
            yield "entries", "none", DEFAULT
        return
    flat, shipped = _flat(own), _flat(template)
    default = {**_optional(MODELS[file]), **shipped}
    for key in dict.fromkeys((*shipped, *flat, *default)):
        yield key, *_value(flat, default, key)


def default_of(model: type[Settings], key: str) -> Any:
    """What holds where a file does not say, as a file would say it; an empty mapping where it has to.

    Args:
        key: In the file, with dots.

    Raises:
        KeyError: The file has no such key.
    """
    *sections, last = key.split(".")
    for section in sections:
        inner = inner_model(model.by_key()[section].annotation)
        if inner is None:
            raise KeyError(f"`{section}` of {model.FILE} is no section")
        model = inner
    default = model.by_key()[last].get_default(call_default_factory=True)
    return {} if default is PydanticUndefined else to_jsonable_python(default)


def _optional(model: type[Settings] | None) -> dict[str, Any]:
    """The keys that a file may leave out and that hold no keys themselves, with what then holds."""
    return {
        key: default_of(model, key)
        for key, field in (model.by_key().items() if model else ())
        if model
        and not field.is_required()
        and get_origin(field.annotation) is not dict
        and not inner_model(field.annotation)
    }


def _value(own: Mapping[str, Any], template: Mapping[str, Any], key: str) -> tuple[str, str]:
    """What holds, and who says so."""
    value, default = own.get(key), template.get(key)
    if value is None or value == default:
        return _words(default), DEFAULT
    return _words(value), STATED


def _flat(settings: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Nested keys with dots between them; an empty mapping is a value."""
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping) and value:
            flat |= _flat(value, f"{above}{key}.")
        else:
            flat[f"{above}{key}"] = value
    return flat


def _at(settings: Mapping[str, Any], key: str) -> Any:
    value: Any = settings
    for part in key.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _entry(entry: Any) -> str:
    """What somebody says of the graph, and who."""
    if not isinstance(entry, Mapping):
        return str(entry)
    rest = {key: value for key, value in entry.items() if key not in ("who", "why", "when", "until")}
    if {"cause", "effect"} <= rest.keys():
        what = f"{rest['cause']} -> {rest['effect']}"
    else:
        what = ", ".join(f"{key} {_words(value)}" for key, value in rest.items())
    until = f" until {entry['until']}" if entry.get("until") else ""
    return f"{what} ({entry.get('who')}, {entry.get('when')}{until}: {entry.get('why')})"


def _words(value: Any) -> str:
    if value is None:
        return UNSTATED
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_words(v)}" for key, v in value.items()) or "none"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "; ".join(_words(v) for v in value) or "none"
    return str(value) or "empty"
