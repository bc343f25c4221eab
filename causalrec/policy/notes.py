"""What the table `target_policy` says beside its rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from causalrec.answers import Answer


@dataclass(frozen=True)
class LeftOutNotes:
    """What was not judged, and why. None throughout where another release has not counted it.

    Attributes:
        judged_slots: How many slots of the judgement days the policies were judged on.
        not_judged: Reason -> how many slots were left out.
        no_challenger: Why there is no challenger; None where there is one.
    """

    judged_slots: int | None = None
    not_judged: Mapping[str, int] | None = None
    no_challenger: Answer | None = None


@dataclass(frozen=True, kw_only=True)
class PolicyNotes(LeftOutNotes):
    """Of the table `target_policy`.

    Attributes:
        champion: The hash of the bundle that the challenger has to beat; None: the logging policy.
        policies: The policies that have rows.
        report_by: The columns by whose values the report tells policies apart.
        objective: What the policies maximise, as `Objective.parse` reads it.
        no_price: Why money decides nothing on some days, in words; None where every item has a price.
    """

    report_by: tuple[str, ...]
    objective: Mapping[str, Any]
    champion: str | None = None
    policies: tuple[str, ...] = ()
    no_price: str | None = None
