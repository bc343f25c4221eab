"""What a person says of covariates: the marked days (`calendar.yaml`), and what is left out (`covariates.yaml`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from causalrec.answers import InputError
from causalrec.settings.logs.calendar import Calendar

FILE = "covariates.yaml"
HISTORY_COVARIATES: dict[str, str | None] = {
    "user_exposures": None,
    "user_clicks": "click",
    "user_purchases": "purchase",
    "user_recency_days": None,
    "user_tenure_days": None,
    "user_category_click_rate": "click",
    "item_exposures": None,
    "item_click_rate": "click",
    "item_purchase_rate": "purchase",
    "item_mean_rating": "rating",
    "item_price_change": None,
}
"""Covariate of the past -> the outcome that has to be logged for it."""
OPTIONAL = ("month", *HISTORY_COVARIATES)
"""What can be left out, beside the attributes of users."""


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


def parse_leave_out(settings: Mapping[str, object], attributes: Sequence[str] = ()) -> frozenset[str]:
    """Read `data/covariates.yaml`.

    Args:
        attributes: Of the source's users: these can be left out too.

    Raises:
        InputError: An unknown key, or a name that is no covariate that can be left out.
    """
    if unknown := sorted(set(settings) - {"leave_out"}):
        raise InputError(f"{FILE}: unknown {unknown}; known is `leave_out`")
    given = settings.get("leave_out") or []
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise InputError(f"{FILE}: `leave_out` must be a list of covariates, got {given!r}")
    if wrong := sorted({str(name) for name in given} - {*OPTIONAL, *attributes}):
        raise InputError(f"{FILE}: `leave_out`: {wrong} cannot be left out; these can: {[*OPTIONAL, *attributes]}")
    return frozenset(map(str, given))
