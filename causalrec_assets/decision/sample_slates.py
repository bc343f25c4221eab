"""Sample slates: for a few requests of a judged day what was shown, and what the challenger would draw instead."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from causalrec.logs.units.covariates import context_columns
from causalrec.policy.bundle import Bundled
from causalrec.policy.policies import CHALLENGER
from causalrec.settings.logs.sources import Source
from causalrec_assets.decision.judged import Judging
from causalrec_assets.lake.inputs import Inputs
from causalrec_assets.serving.recommend import recommend

FILE = "sample_slates.json"
REQUESTS = 10


def sample_slates(inputs: Inputs, source: Source, days: Sequence[date], challenger: Bundled) -> list[dict[str, Any]]:
    """Ten requests of the last day that has judged slots, drawn with the seed of the learning settings.

    Returns:
        Of each its user, its context, the items that were `shown` (the judged slots, from the top) and the `slate` that
        the challenger draws: item_id, rank, action_propensity (given the items above), the expected outcomes and a
        reason, as of the table `recommendations`. Equal inputs give equal slates.
    """
    judging = Judging(inputs, source, {CHALLENGER: challenger})
    judged = ((day, judging.slots(day, challenger)) for day in reversed(days))
    day, slots = next(((day, slots) for day, slots in judged if slots.frame.height), (None, None))
    if day is None or slots is None:
        return []
    rows = slots.frame.with_columns(
        row=pl.Series(slots.row), request=pl.coalesce("request_id", "unit_id"), slot=pl.col("position").fill_null(1)
    ).sort("request", "slot", "unit_id")
    requests = rows["request"].unique().sort()
    rng = np.random.default_rng([inputs.seed, day.toordinal()])
    chosen = requests.gather(np.sort(rng.permutation(len(requests))[:REQUESTS]))
    first = rows.filter(pl.col("request").is_in(chosen.implode())).unique("request", keep="first", maintain_order=True)
    contexts = slots.contexts[first["row"].to_list()]
    columns = context_columns(source)
    scored = judging.scored(day, contexts, challenger, "the challenger")
    # A context a request: two requests of one context have a draw each.
    named = contexts.with_columns(user_id=first["request"])
    items = inputs.table("items", day).frame["item_id"].to_list()
    seed = [inputs.seed, day.toordinal()]
    drawn = recommend(named, items, scored, challenger.config, challenger.objective, columns, seed)
    titles = _titles(inputs, day)
    found = []
    for request, place in zip(first["request"], contexts.iter_rows(named=True), strict=True):
        own = rows.filter(pl.col("request") == request)
        shown = own.select("item_id", rank=pl.col("slot")).to_dicts()
        slate = drawn.filter(pl.col("user_id") == request).drop("user_id", "context").to_dicts()
        found.append(
            {
                "request_id": own["request_id"][0],
                "user_id": place["user_id"],
                "time": own["time"][0].isoformat(),
                "context": {column: place[column] for column in columns},
                "shown": [row | {"title": titles.get(row["item_id"])} for row in shown],
                "slate": [row | {"title": titles.get(row["item_id"])} for row in slate],
            }
        )
    return found


def sample_slates_json(inputs: Inputs, source: Source, days: Sequence[date], challenger: Bundled) -> bytes:
    """The file `FILE`."""
    return json.dumps(sample_slates(inputs, source, days, challenger), indent=1, sort_keys=True, default=str).encode()


def _titles(inputs: Inputs, day: date) -> dict[str, str | None]:
    catalogue = inputs.table("items", day).frame
    return dict(catalogue.select("item_id", "title").iter_rows()) if "title" in catalogue.columns else {}
