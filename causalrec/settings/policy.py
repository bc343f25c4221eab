"""`data/policy.yaml`: how the target policy turns the objective into slates."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from causalrec.answers import InputError
from causalrec.settings.base import Settings
from causalrec.settings.kinds import Must, Names, Wrong, number, whole

FILE, KEY = "policy.yaml", "allow_sensitive"


def _entries(value: object) -> object:
    if not isinstance(value, list | tuple | None):
        raise Wrong("", "a list of entries with column, who and why", value)
    return tuple(value or ())


Words = Annotated[str, Must("a text", lambda text: bool(text.strip()))]


class Allowed(Settings):
    """Somebody's word that a policy may read a sensitive attribute.

    Attributes:
        column: The attribute of users.
        who: Who allows it.
        why: What for.
    """

    column: Words
    who: Words
    why: Words


Entries = Annotated[tuple[Allowed, ...], BeforeValidator(_entries), Field(strict=False)]


class PolicyConfig(Settings):
    """The target policy's dials.

    Attributes:
        temperature: Of the softmax over the objective's value, in the units of its form (nats with do, outcomes with
            total and effect_given_met); near 0 the best item only, large values explore. Left out: the one that keeps
            the policy's mean entropy where form do has it at 0.5; solved in training, and stored with the bundle.
        exploration: Share of the probability that is uniform over all candidates; keeps overlap for the next day.
        candidates: For large catalogues: so many items are ranked for a context, the best eligible ones for somebody of
            whom nothing is known; all others share the exploration alone, each alike. Left out: all are ranked.
        slate_size: Items recommended at a time.
        named: Policies that are not fitted and are judged beside the challenger.
        match: Columns in which a candidate must equal its context, e.g. the section of the shop.
        report_by: Context columns by whose values the off-policy report is given as well.
        most_left_out: Of the slots that could be judged, the share whose item may be no candidate of its context (not
            in the catalogue, or not in its section): they are left out and counted. With more nothing is judged.
        allow_sensitive: Sensitive attributes that the policy may read, each with who allows it and why.
    """

    FILE = FILE

    temperature: Annotated[
        float | None, Must("a number above 0 (or left out)", lambda value: value is None or value > 0)
    ] = None
    exploration: Annotated[
        float,
        Must(
            "a number in (0, 1] (without it nothing could be learned from the policy's own logs)",
            lambda share: 0 < share <= 1,
        ),
    ]
    candidates: Annotated[
        int | None, Must("a whole number of at least 1 (or left out)", lambda value: value is None or value >= 1)
    ] = None
    slate_size: Annotated[int, whole(1)]
    named: Names
    match: Names
    report_by: Names
    most_left_out: Annotated[float, number(0, 1, "[)")] = 0.02
    allow_sensitive: Entries = ()

    @property
    def solved(self) -> float:
        """The temperature, as a number.

        Raises:
            ValueError: It is left out, and nobody has solved it (`policy.temperature`).
        """
        if self.temperature is None:
            raise ValueError("the temperature is left out: solve it before the policy acts")
        return self.temperature

    def to_json(self) -> dict[str, Any]:
        """As `parse` reads it. That all items are ranked goes without saying, so that such bundles keep their names."""
        return self.model_dump(exclude={"candidates"} if self.candidates is None else set())


class Allowance(Settings):
    """What of `data/policy.yaml` the logs read: their tables are not made anew when another key changes.

    Attributes:
        allow_sensitive: As of `PolicyConfig`.
    """

    FILE = FILE

    allow_sensitive: Entries = ()


def require_columns(
    config: PolicyConfig, contexts: Collection[str], items: Collection[str], units: Collection[str]
) -> None:
    """Refuse columns that are not there.

    Args:
        contexts: The source's context columns.
        items: What the source's items have.
        units: What its units have.

    Raises:
        InputError: `match` names what is not of both contexts and items, `report_by` what units do not have.
    """
    if wrong := [c for c in config.match if c not in contexts or c not in items]:
        raise InputError(
            f"policy.yaml: `match`: {wrong} must be columns of the context and of the items; contexts have "
            f"{sorted(contexts)} (sources.yaml: context), items {sorted(items)} (sources.yaml: items.columns)"
        )
    if wrong := [c for c in config.report_by if c not in units]:
        raise InputError(
            f"policy.yaml: `report_by`: units have no {wrong}; contexts have {sorted(contexts)} (sources.yaml: context)"
        )
