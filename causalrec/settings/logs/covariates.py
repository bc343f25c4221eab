"""What a person says of covariates: the marked days (`calendar.yaml`), and what is left out (`covariates.yaml`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import ValidationInfo, field_validator

from causalrec.settings.base import Settings
from causalrec.settings.kinds import Conflict, Must, Names
from causalrec.settings.logs.calendar import Calendar
from causalrec.settings.logs.columns import HISTORY_COVARIATES

FILE = "covariates.yaml"
OPTIONAL = ("month", *HISTORY_COVARIATES)
"""What can be left out, beside the attributes of users."""


class Covariates(Settings):
    """What no model reads, though the logs have it.

    Attributes:
        leave_out: Covariates that units do not have.
    """

    FILE = FILE

    leave_out: Annotated[Names, Must("a list of covariates")] = ()

    @field_validator("leave_out")
    @classmethod
    def _can_be_left_out(cls, names: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        optional = [*OPTIONAL, *(info.context or {}).get("attributes", ())]
        if wrong := sorted(set(names) - set(optional)):
            raise Conflict("", f"`{{place}}`: {wrong} cannot be left out; these can: {optional}")
        return names


@dataclass(frozen=True)
class CovariateSettings:
    """What there is beside the source.

    Attributes:
        leave_out: Covariates that units do not have.
    """

    calendar: Calendar = field(default_factory=Calendar)
    leave_out: frozenset[str] = frozenset()


PLAIN = CovariateSettings()
"""No marked day, nothing left out."""


def parse_leave_out(settings: Mapping[str, Any], attributes: Sequence[str] = ()) -> frozenset[str]:
    """Read `data/covariates.yaml`.

    Args:
        attributes: Of the source's users: these can be left out too.

    Raises:
        InputError: An unknown key, or a name that is no covariate that can be left out.
    """
    return frozenset(Covariates.parse(settings, others={"attributes": attributes}).leave_out)
