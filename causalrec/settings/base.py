"""Settings files as models: each key has a type, words for what it accepts, and one sentence for what it does.

    class Serving(Settings):
        '''... Attributes: ...'''

        FILE = "serving.yaml"
        contexts_without_users: Annotated[int, whole(1)]

    Serving.read(home)

A file that says something else is refused with all its faults at once, each with file, key, what is accepted, what was
given, and the line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo

from causalrec.answers import InputError
from causalrec.home import Home
from causalrec.masking import masked
from causalrec.settings.faults import explain
from causalrec.settings.file import read_setting

Constant = str | int | float


class Settings(BaseModel):
    """A settings file, or a section of one. What a key does stands under `Attributes` of the model's docstring."""

    # Faults are told by `explain`; pydantic's own would repeat what was given, which may be a secret.
    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, validate_by_name=True, hide_input_in_errors=True
    )

    FILE: ClassVar[str] = ""
    """The file; empty: a section."""
    NAME: ClassVar[str] = ""
    """What messages call one of a list of these, as in "question 2"; empty: "entry 2 of `LIST`"."""

    @classmethod
    def read(cls, home: Home) -> Self:
        """Read the file of a home, or the template's where the home has none.

        Raises:
            InputError: It is no such file; the message has every fault with its line.
        """
        return cls.parse(read_setting(home, cls.FILE))

    @classmethod
    def parse(cls, settings: Mapping[str, Any], where: str = "", others: Mapping[str, Any] | None = None) -> Self:
        """Read settings.

        Args:
            settings: The content of a file; as `read_yaml` gives it, messages have lines.
            where: The file in messages, if it is not `FILE`.
            others: What other files say, for checks that need it (`info.context`).

        Raises:
            InputError: An unknown or missing key, a value that is not accepted, or values that do not go together.
        """
        try:
            return cls.model_validate(settings, by_alias=True, by_name=False, context=others)
        except ValidationError as error:
            faults = explain(error, cls, settings, where or cls.FILE)
        # Outside of the handler, so that no traceback shows the values by way of pydantic's error.
        raise InputError(faults)

    @classmethod
    def by_key(cls) -> dict[str, FieldInfo]:
        """Key in the file -> its field."""
        return {str(field.validation_alias or name): field for name, field in cls.model_fields.items()}


@dataclass(frozen=True)
class Values:
    """Reads the values of one settings file; every method raises InputError for a value of another kind."""

    file: str

    def wrong(self, key: str, accepted: str, given: object) -> InputError:
        # What a store is opened with may be its password.
        said = f"a {type(given).__name__}" if "options" in key else masked(repr(given))
        return InputError(f"{self.file}: `{key}` must be {accepted}, got {said}")

    def known(self, where: str, given: Mapping[str, object], known: set[str]) -> None:
        if unknown := sorted(set(given) - known):
            place = f"{self.file}: {where}" if where else self.file
            raise InputError(f"{place}: unknown {unknown}; known are {sorted(known)}")

    def mapping(self, key: str, value: object) -> dict[str, object]:
        if not isinstance(value, Mapping):
            raise self.wrong(key, "a mapping", value)
        return {str(name): inner for name, inner in value.items()}

    def column_map(self, key: str, value: object) -> dict[str, str]:
        return {ours: self.text(f"{key}.{ours}", theirs) for ours, theirs in self.mapping(key, value).items()}

    def kinds(self, key: str, value: object) -> dict[str, str]:
        given = self.mapping(key, value or {})
        return {name: self.one_of(f"{key}.{name}", kind, ("text", "number")) for name, kind in given.items()}

    def names(self, key: str, value: object) -> tuple[str, ...]:
        if value is None:
            return ()
        if not isinstance(value, Sequence) or isinstance(value, str):
            raise self.wrong(key, "a list of names", value)
        return tuple(str(name) for name in value)

    def text(self, key: str, value: object) -> str:
        if not isinstance(value, str):
            raise self.wrong(key, "a text (quote it if it looks like a number)", value)
        return value

    def constant(self, key: str, value: object) -> Constant:
        if not isinstance(value, str | int | float):
            raise self.wrong(key, "a text or a number", value)
        return int(value) if isinstance(value, bool) else value

    def one_of(self, key: str, value: object, accepted: Sequence[str]) -> str:
        if not isinstance(value, str) or value not in accepted:
            raise self.wrong(key, f"one of {list(accepted)}", value)
        return value

    def boolean(self, key: str, value: object) -> bool:
        if not isinstance(value, bool):
            raise self.wrong(key, "true or false", value)
        return value

    def whole(self, key: str, value: object, least: int) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise self.wrong(key, f"a whole number of at least {least}", value)
        return value

    def number(self, key: str, value: object, least: float, most: float = float("inf")) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool) or not least <= value <= most:
            bounds = f"from {least:g} to {most:g}" if most < float("inf") else f"of at least {least:g}"
            raise self.wrong(key, f"a number {bounds}", value)
        return float(value)

    def day(self, key: str, value: object) -> date:
        if not isinstance(value, date) or isinstance(value, datetime):
            raise self.wrong(key, "a date such as 2026-03-02", value)
        return value

    def time_zone(self, key: str, value: object) -> str:
        name = self.text(key, value)
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise self.wrong(key, "the name of a time zone such as UTC or Europe/Berlin", name) from error
        return name
