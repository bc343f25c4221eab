"""Policies judged on some days: what each would have shown in their slots, and with what was met beside them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from causalrec.logs.units.covariates import as_of, context_columns
from causalrec.logs.units.notes import UnitsNotes
from causalrec.policy.bundle import Bundled
from causalrec.policy.grid import Scored
from causalrec.policy.left_out import LeftOut
from causalrec.policy.organic.left_out import whole_slates, with_left_out
from causalrec.policy.organic.rates import MetCounts
from causalrec.policy.organic.rows import OrganicRows, organic_rows, slot_numbers
from causalrec.policy.organic.scored_again import InSlots, with_origins
from causalrec.policy.policies import CHALLENGER, FittedPolicy, Policy
from causalrec.policy.policies.judged import SCHEMA, asked_of, evaluate_slots
from causalrec.policy.retrieval import Asked, score, unscored
from causalrec.policy.slots import Slots, judged_slots
from causalrec.settings.logs.sources import Source
from causalrec.settings.objective import Objective, with_form
from causalrec.settings.policy import PolicyConfig
from causalrec_assets.common.bundles import attributes_read
from causalrec_assets.common.reads import covariate_settings, history_before
from causalrec_assets.decision.logging_policy.in_slots import probabilities_in_slots
from causalrec_assets.lake.inputs import Inputs


@dataclass(frozen=True)
class Judged:
    """Policies judged on some days.

    Attributes:
        frame: Rows of the table `target_policy`.
        left_out: How many slots were judged, and why others were not.
    """

    frame: pl.DataFrame
    left_out: LeftOut


def judge_policies(
    inputs: Inputs,
    source: Source,
    days: Sequence[date],
    before: Sequence[date] | None,
    bundles: Mapping[str, Bundled],
    named: Sequence[Policy] = (),
) -> Judged:
    """Judge policies on the slots of some days, all on the same slots.

    Args:
        inputs: `units` and `items` of `days` and `before`, `users` of `days` and `history` of the days before each are
            read and recorded.
        days: The judged days. No bundle may have been fitted to them.
        before: Earlier days, from which it is counted how often an item is met without being recommended. None: slots
            alone are judged, and no organic row has a row.
        bundles: The name of each fitted policy (`CHALLENGER`, `CHAMPION`) -> its bundle.
        named: Policies beside them. They read what the challenger's model expects; without a challenger only those
            that read nothing are judged.

    Returns:
        Per day the challenger's rows, those of `named` and the champion's.
    """
    judging = Judging(inputs, source, bundles)
    met = None if before is None else judging.met_counts(before)
    parts, left_out = [pl.DataFrame(schema=SCHEMA)], LeftOut()
    for day in days:
        slots: Slots | None = None
        weighed = None if before is None else OfOrganic(met, judging.in_slots(day))
        for bundle, policies in _by_bundle(bundles, named):
            slots, frame = judging.day(day, bundle, policies, weighed)
            parts.append(frame)
        if slots is not None:
            left_out.add(day, slots)
    return Judged(pl.concat(parts), left_out)


def _by_bundle(
    bundles: Mapping[str, Bundled], named: Sequence[Policy]
) -> Iterator[tuple[Bundled | None, Sequence[Policy]]]:
    """The policies that read the same model, and its bundle."""
    if CHALLENGER not in bundles and (unfitted := [policy for policy in named if not policy.fitted]):
        yield None, unfitted
    for name, bundle in bundles.items():
        beside = named if name == CHALLENGER else ()
        yield bundle, [FittedPolicy(name, bundle.config, bundle.objective), *beside]


@dataclass(frozen=True)
class OfOrganic:
    """What the organic rows of a day are weighed by.

    Attributes:
        met: How often each item was met before; None where not every organic impression is logged.
        in_slots: How likely the logging policy would have shown each row's item.
    """

    met: MetCounts | None
    in_slots: InSlots

    def rows(self, units: pl.DataFrame, catalogue: pl.DataFrame, slots: Slots) -> OrganicRows:
        """The organic rows."""
        organic = organic_rows(units, catalogue, slots)
        if self.met is not None:
            organic = organic.with_met(self.met.rates(catalogue), slot_numbers(slots))
        whole = whole_slates(units, slots)
        return with_origins(with_left_out(organic, slots, self.in_slots.here, whole), self.in_slots, whole)


@dataclass
class Judging:
    """Bundles and what they are judged by, as the settings are now.

    Attributes:
        bundles: The name of each fitted policy -> its bundle.
    """

    inputs: Inputs
    source: Source
    bundles: Mapping[str, Bundled]
    config: PolicyConfig = field(init=False)
    objective: Objective = field(init=False)

    def __post_init__(self) -> None:
        self.config = PolicyConfig.parse(self.inputs.setting("policy.yaml"))
        self.objective = with_form(Objective.parse(self.inputs.setting("objective.yaml")), self.source)

    @property
    def matches(self) -> set[tuple[str, ...]]:
        """Every policy is judged on the same slots, so a slot must be of candidates of all."""
        return {bundle.config.match for bundle in self.bundles.values()} | {self.config.match}

    def met_counts(self, days: Collection[date]) -> MetCounts | None:
        """None where not every organic impression is logged."""
        if self.source.organic_rows != "every_impression":
            return None
        columns = ["request_id", "item_id", "position", "recommended"]
        return MetCounts.of(
            (
                self.inputs.table("units", day).scan().select(columns).collect(engine="streaming"),
                self.inputs.table("items", day).frame,
            )
            for day in days
        )

    def in_slots(self, day: date) -> InSlots:
        """How likely the logging policy would have shown what the day's organic rows met; the same for all bundles."""
        slots = self.slots(day, None)
        units, catalogue = self.inputs.table("units", day).frame, self.inputs.table("items", day).frame
        return probabilities_in_slots(self, day, slots, organic_rows(units, catalogue, slots))

    def day(
        self, day: date, bundle: Bundled | None, policies: Sequence[Policy], weighed: OfOrganic | None
    ) -> tuple[Slots, pl.DataFrame]:
        """The slots of a day, and what the policies that read one bundle would have done in them."""
        slots = self.slots(day, bundle)
        units, catalogue = self.inputs.table("units", day).frame, self.inputs.table("items", day).frame
        organic = weighed.rows(units, catalogue, slots) if weighed else None
        asked = Asked(*asked_of(slots, organic), self.seed(day))
        if bundle is None:
            scored = unscored(slots.contexts, catalogue, self.config.match, self.config.candidates, asked)
        else:
            who = f"the model of {' and '.join(sorted(policy.name for policy in policies))}"
            scored = self.scored(day, slots.contexts, bundle, who, asked)
        return slots, evaluate_slots(slots, scored, policies, self.objective, organic)

    def slots(self, day: date, bundle: Bundled | None) -> Slots:
        """The slots of a day that can be judged, in the contexts that a bundle's model tells apart."""
        units, catalogue = self.inputs.table("units", day), self.inputs.table("items", day).frame
        held_out = units.notes_as(UnitsNotes).held_out_policies
        slates = self.source.has("request_id") and self.source.has("position")
        position = [c for c in bundle.model.design.names if c == "position"] if bundle else []
        reads = [*context_columns(self.source), *position]
        return judged_slots(units.frame, catalogue, reads, held_out, self.matches, slates)

    def seed(self, day: date) -> list[int]:
        """Of what is drawn on a day."""
        return [self.inputs.seed, day.toordinal()]

    def scored(
        self, day: date, contexts: pl.DataFrame, bundle: Bundled, who: str, asked: Asked | None = None
    ) -> Iterator[Scored]:
        """Contexts of a day against its catalogue, as of the end of the day before.

        Args:
            who: Whose bundle it is, in words.
            asked: Items that must be among those scored; None: slates are drawn.
        """
        before = history_before(self.inputs, day) if self.source.has("user_id") else None
        attributes = attributes_read(self.inputs, self.source, bundle, lambda: self.inputs.table("users", day), who)
        state = as_of(before, day, self.source, covariate_settings(self.inputs), attributes)
        catalogue = self.inputs.table("items", day).frame
        return score(contexts, catalogue, state, self.source, bundle, asked or Asked.nothing(self.seed(day)))
