"""The slates of a table `recommendations` scored again, from the versions of the tables that it was made from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from causalrec.answers import InputError
from causalrec.arrays import Ints
from causalrec.logs.units.covariates import as_of, context_columns
from causalrec.logs.units.held_out import without_held_out
from causalrec.logs.units.notes import UnitsNotes
from causalrec.policy.bundle import Bundled
from causalrec.policy.grid import Scored
from causalrec.policy.organic.scored_again import Then
from causalrec.policy.retrieval import Asked, score
from causalrec.policy.slots import Slots
from causalrec.settings.logs.sources import Source
from causalrec_assets.common.bundles import attributes_read
from causalrec_assets.common.reads import covariate_settings
from causalrec_assets.lake.inputs import Inputs, Table
from causalrec_assets.serving.recommend import RecommendationsNotes, latest_contexts

WHO = "the release that drew the slates"


def rows_of(items: pl.Series, catalogue: pl.Series) -> Ints:
    """(items,) the row of each item in a catalogue; -1: it is not listed."""
    listed = catalogue.to_frame("item_id").with_row_index("place")
    found = items.to_frame("item_id").join(listed, on="item_id", how="left", maintain_order="left")["place"]
    return np.asarray(found.cast(pl.Int64).fill_null(-1).to_numpy())


@dataclass(frozen=True)
class DrawnTables:
    """The versions of one day's `recommendations` that a release has drawn.

    Attributes:
        entry: Of the release log.
        day: Of the table.
    """

    inputs: Inputs
    source: Source
    entry: int
    day: date

    def scorings(
        self, judged: date, slots: Slots, bundle: Bundled
    ) -> Iterator[tuple[Then, Callable[[Asked], Iterator[Scored]]]]:
        """Each version's contexts and catalogue, newest version first: which one was shown, the logs tell.

        Args:
            judged: The day of the slots.

        Raises:
            InputError: Something that a version was made from is not in the lake any more.
        """
        made_from: list[dict[str, str]] = []
        for number in reversed(self.inputs.store.numbers("recommendations", self.day)):
            served = self._version("recommendations", self.day, number)
            if not served.answer.answered or served.notes_as(RecommendationsNotes).entry != self.entry:
                continue
            read = {key: value for key, value in served.pointer.inputs.items() if key.startswith("table:")}
            # Slates that were drawn again from the same tables have the same probabilities.
            if read not in made_from:
                made_from.append(read)
                yield self._scoring(served, judged, slots, bundle)

    def _scoring(
        self, served: Table, judged: date, slots: Slots, bundle: Bundled
    ) -> tuple[Then, Callable[[Asked], Iterator[Scored]]]:
        columns = [*context_columns(self.source), *(c for c in bundle.model.design.names if c == "position")]
        contexts, row = self._contexts(served, slots, columns)
        catalogue = self._as_read(served, "items", self.day).frame
        past = self._as_read(served, "history", self.day)
        attributes = attributes_read(
            self.inputs, self.source, bundle, lambda: self._as_read(served, "users", self.day), WHO
        )
        before = past.frame if past.answer.answered else None
        settings = covariate_settings(self.inputs)
        state = as_of(before, self.day + timedelta(days=1), self.source, settings, attributes)
        today = self.inputs.table("items", judged).frame["item_id"]
        then = Then(row, rows_of(today, catalogue["item_id"]))
        return then, lambda asked: score(contexts, catalogue, state, self.source, bundle, asked)

    def _contexts(self, served: Table, slots: Slots, columns: Sequence[str]) -> tuple[pl.DataFrame, Ints]:
        """The contexts that slates were drawn for, as far as the slots are of them, and that of each slot."""
        days = sorted(key.split(":")[2] for key in served.pointer.inputs if key.startswith("table:units:"))
        window = [self._as_read(served, "units", date.fromisoformat(day)) for day in days]
        reads = ["unit_id", "time", "user_id", "policy", *(c for c in columns if c != "user_id")]
        scans = [table.scan() for table in window]
        if lacking := [c for c in reads if any(c not in scan.collect_schema() for scan in scans)]:
            raise InputError(f"units of the days before it have no {lacking}, which the bundle or sources.yaml reads")
        logged = pl.concat([scan.select(reads).collect(engine="streaming") for scan in scans])
        logged = without_held_out(logged, window[-1].notes_as(UnitsNotes).held_out_policies)
        named = self.source.has("user_id")
        whom = latest_contexts(logged, columns, None if named else logged.height)
        key = ["user_id"] if named else list(columns)
        if not key:
            # Nothing tells contexts apart: there is one.
            return whom, np.zeros(slots.frame.height, dtype=np.int64)
        asked = slots.frame.select(key).unique()
        whom = whom.join(asked, on=key, how="semi", nulls_equal=not named, maintain_order="left")
        numbered = whom.select(key).with_row_index("row")
        row = slots.frame.select(key).join(numbered, on=key, how="left", nulls_equal=not named, maintain_order="left")
        return whom, np.asarray(row["row"].cast(pl.Int64).fill_null(-1).to_numpy())

    def _as_read(self, served: Table, name: str, day: date) -> Table:
        """The version of a table that the slates were drawn from, which may have been replaced since."""
        wanted = served.pointer.inputs.get(f"table:{name}:{day}")
        for number in reversed(self.inputs.store.numbers(name, day)):
            pointer = self.inputs.store.pointer(name, day, number)
            if pointer is not None and pointer.hash == wanted:
                return self._version(name, day, number)
        raise InputError(
            f"the version of `{name}` of {day} that `recommendations` of {self.day} was drawn from is not in the lake "
            "any more (lake.yaml: retention.versions)"
        )

    def _version(self, name: str, day: date, number: int) -> Table:
        newest = self.inputs.store.numbers(name, day)[-1]
        return self.inputs.table(name, day) if number == newest else self.inputs.table_at(name, day, number)
