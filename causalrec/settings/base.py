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

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo

from causalrec.answers import InputError
from causalrec.home import Home
from causalrec.settings.faults import explain
from causalrec.settings.file import read_setting


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
