"""With which probability the logging policy would have shown what people met: as logged, or scored again.

A slot's `policy` names the release that drew it (`causalrec_assets.lake.releases.DrawnBy`). The bundle holds the model,
the item vectors, the policy's dials and the objective. Contexts, catalogue, history and users are of a day: of slates
that stand in a table `recommendations` its pointer says which versions were read, and just those are read again; of
slates that were drawn when they were asked for they are what the day's slots and the lake say. Whether that is what
served, the logged propensities of the slots decide, request by request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Protocol

import numpy as np
import polars as pl

from causalrec.answers import InputError
from causalrec.arrays import Floats, Mask
from causalrec.logs.units.covariates import context_columns, covariate_names
from causalrec.policy.bundle import Bundled
from causalrec.policy.grid import Scored
from causalrec.policy.organic.left_out import FIRST_SLOT, logged_in_slots, stands_above
from causalrec.policy.organic.rows import OrganicRows
from causalrec.policy.organic.scored_again import LOGGED, InSlots, Then, held_against, score_again
from causalrec.policy.policies import CHAMPION, FittedPolicy
from causalrec.policy.retrieval import Asked
from causalrec.policy.slots import Slots
from causalrec.settings.logs.sources import Source
from causalrec_assets.common.bundles import load_bundle
from causalrec_assets.decision.logging_policy.tables import DrawnTables, rows_of
from causalrec_assets.lake.inputs import Inputs
from causalrec_assets.lake.releases import DrawnBy

NO_POLICY = "which policy drew the slates is not logged either (sources.yaml: events.columns.policy)"
Scoring = tuple[Then, Callable[[Asked], Iterator[Scored]]]
"""What served, and how to score it."""


class Judge(Protocol):
    """What judges the slots of a day (`causalrec_assets.decision.judged.Judging`)."""

    @property
    def inputs(self) -> Inputs: ...
    @property
    def source(self) -> Source: ...

    def slots(self, day: date, bundle: Bundled | None) -> Slots:
        """The slots of a day, in the contexts that a bundle's model tells apart."""
        ...

    def seed(self, day: date) -> list[int]:
        """Of what is drawn on a day."""
        ...

    def scored(
        self, day: date, contexts: pl.DataFrame, bundle: Bundled, who: str, asked: Asked | None = None
    ) -> Iterator[Scored]:
        """Contexts of a day against its catalogue, as of the end of the day before."""
        ...


@dataclass
class _SlotsOfName:
    """The slots of one name: whose requests agree with what is scored again, and why the others do not."""

    asked: Mask
    met: Floats
    left: Mask
    off: Floats | None = None

    def take(self, shown: Floats, met: Floats, slots: Slots, organic: OrganicRows) -> None:
        """Take what agrees with the logs."""
        held = held_against(shown, slots, self.asked)
        taken = held.agrees & self.left
        pairs = taken[organic.slot]
        self.met[pairs] = met[pairs]
        self.left = self.left & ~taken
        self.off = held.off if self.off is None else self.off

    def words(self, name: str, when: str) -> str:
        """Why the others are not known."""
        assert self.off is not None
        many, of = int(self.left.sum()), int(self.asked.sum())
        gaps = self.off[self.left]
        impossible, reasons = int(np.isnan(gaps).sum()), []
        if impossible < many:
            reasons.append(f"the probabilities of the items shown are off by up to {np.nanmax(gaps):.1%}")
        if impossible:
            reasons.append(f"{impossible:,} slots show what it had no probability of")
        return (
            f"`{name}` was scored again with {when}, and {many:,} of its {of:,} slots are of requests that do not "
            f"agree with the logged action propensities ({', and '.join(reasons)}); it was asked with another "
            "catalogue, history, context or code, or another name should have been logged"
        )


def probabilities_in_slots(judge: Judge, day: date, slots: Slots, organic: OrganicRows) -> InSlots:
    """With which probability the logging policy would have shown each organic row's item, in each slot of its request.

    What is logged counts before what is scored again.
    """
    units, pairs = judge.inputs.table("units", day).frame, len(organic.row)
    logged = logged_in_slots(units, slots, organic) if FIRST_SLOT in units.columns else np.full(pairs, np.nan)
    above = stands_above(slots, organic)
    logged = np.where(above, 0.0, logged)
    of_logs = InSlots(logged, pl.select(pl.when(~pl.Series(above, dtype=pl.Boolean)).then(pl.lit(LOGGED))).to_series())
    missing = np.zeros(len(slots.row), dtype=bool)
    missing[organic.slot[np.isnan(logged)]] = True
    met, said = np.full(pairs, np.nan), np.full(pairs, NO_POLICY, dtype=object)
    policies = slots.frame["policy"]
    for name in policies.filter(pl.Series(missing, dtype=pl.Boolean)).drop_nulls().unique().sort():
        of_name = (policies == name).fill_null(False).to_numpy()
        own = of_name[organic.slot]
        met_of_name, known, unknown = _of_name(judge, day, slots, organic, name, of_name)
        met[own] = met_of_name[own]
        said[own] = np.where(np.isnan(met_of_name[own]), unknown, known)
    return of_logs.or_else(met, pl.Series(said.tolist(), dtype=pl.String))


def _of_name(
    judge: Judge, day: date, slots: Slots, organic: OrganicRows, name: str, of_name: Mask
) -> tuple[Floats, str, str]:
    """(pairs,) probabilities of one name's slots, what is said of those that are known, and of the others."""
    unknown = np.full(len(organic.row), np.nan)
    drawn = DrawnBy.of(name)
    if drawn is None:
        return unknown, "", f"`{name}` is no release of this project, whose probabilities could be computed again"
    champion = judge.inputs.release(drawn.entry)
    if champion is None:
        return unknown, "", f"the release log has no bundle under the entry that `{name}` names"
    of_slots = _SlotsOfName(of_name, unknown, of_name.copy())
    try:
        bundle = load_bundle(judge.inputs, champion.bundle)
        _require_columns(bundle, judge.source)
        policy = FittedPolicy(CHAMPION, bundle.config, bundle.objective)
        for then, scored in _scorings(judge, day, slots, drawn, bundle):
            asked = Asked(*then.asked(slots, organic), judge.seed(day))
            again = score_again(scored(asked), policy.probabilities, then, slots, organic)
            of_slots.take(again.shown, again.met, slots, organic)
            if not of_slots.left.any():
                break
    except InputError as error:
        # What agreed before counts: it agrees with what was logged.
        return of_slots.met, f"{name}, scored again", f"`{name}` cannot be scored again: {error}"
    if of_slots.off is None:
        return unknown, "", f"the lake has no version of `recommendations` of {drawn.table} that `{name}` has drawn"
    when = f"the tables that `recommendations` of {drawn.table} has read" if drawn.table else "the day's own tables"
    return of_slots.met, f"{name}, scored again", of_slots.words(name, when) if of_slots.left.any() else ""


def _require_columns(bundle: Bundled, source: Source) -> None:
    """Refuse a bundle that reads what the source had when it was released, and has no more.

    Raises:
        InputError: It does.
    """
    made = {*covariate_names(source), *source.user_attributes, "month", "holiday", "position"}
    if "price" not in source.item_columns:
        # The price of an event is no candidate's.
        made -= {"price", "item_price_change"}
    lacking = {*bundle.model.design.names} - made
    lacking |= {*bundle.config.match} - {*context_columns(source)}
    if lacking:
        raise InputError(f"its bundle reads {sorted(lacking)}, which sources.yaml does not name any more")


def _scorings(judge: Judge, day: date, slots: Slots, drawn: DrawnBy, bundle: Bundled) -> Iterator[Scoring]:
    """What may have served, the likeliest first."""
    if drawn.table is not None:
        if drawn.table >= day:
            raise InputError(f"slates of {drawn.table} are drawn after that day is over, and these are of {day}")
        yield from DrawnTables(judge.inputs, judge.source, drawn.entry, drawn.table).scorings(day, slots, bundle)
        return
    own = judge.slots(day, bundle)
    catalogue = judge.inputs.table("items", day).frame["item_id"]
    then = Then(own.row, rows_of(catalogue, catalogue))
    yield then, lambda asked: judge.scored(day, own.contexts, bundle, "the release that drew the slates", asked)
