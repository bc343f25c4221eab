"""The settings that shaped a report: each with its value, and whether the home states it or it is a default."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from causalrec.cells.ids import FLOAT_IDS
from causalrec.cells.missing import SPELLINGS

STATED, DEFAULT, FIXED = "stated", "default", "fixed"
CONFIDENCE = 0.95
"""Of every interval of the reports (`estimators.intervals`)."""
FILES = (
    "sources.yaml",
    "cleaning.yaml",
    "calendar.yaml",
    "covariates.yaml",
    "questions.yaml",
    "discovery.yaml",
    "expert_graph.yaml",
    "learning.yaml",
    "model.yaml",
    "objective.yaml",
    "policy.yaml",
    "release.yaml",
)
"""In the order of what they shape."""
OF_THE_SOURCE: dict[str, Any] = {
    "time_zone": "UTC",
    "sparse": False,
    "organic_rows": "none",
    "purchase_needs_click": False,
    "context": {},
    "users.kinds": {},
    "users.sensitive": [],
    "outcomes": {},
    "history_days": 28,
    "rate_prior": {"rate": 0.1, "exposures": 10},
    "held_out_policies": [],
    "cluster": "auto",
    "missing": SPELLINGS,
    "float_ids": FLOAT_IDS[0],
}
"""What of `sources.yaml` is a choice (the rest is names of columns), with what it is where the file does not say."""
EXPECTED = {"objective.yaml": ("satisfying", "lambda", "margin"), "policy.yaml": ("allow_sensitive",)}
"""Keys that a file may lack, and that a reader looks for."""
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
        for key, default in OF_THE_SOURCE.items():
            value = _at(own, key)
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
    flat, default = _flat(own), _flat(template)
    for key in dict.fromkeys((*default, *flat, *EXPECTED.get(file, ()))):
        yield key, *_value(flat, default, key)


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
