"""The asset `items`: the catalogue as of the day."""

import dagster as dg
import polars as pl

from causalrec.answers import not_available
from causalrec.logs.gaps import NO_ITEMS
from causalrec.logs.landing.snapshots import item_snapshot
from causalrec.logs.landing.zone import LandingZone
from causalrec.logs.units.lineage import (
    LANDED_ITEMS,
    items_lineage,
)
from causalrec_assets.common.gated import gated_asset
from causalrec_assets.common.ui import table
from causalrec_assets.gate.draft import Draft
from causalrec_assets.logs.good_version import require_no_smaller_snapshot
from causalrec_assets.logs.shared import source_of
from resources.lake import Lake


@gated_asset("items", group_name="logs", deps=[LANDED_ITEMS])
def items(context: dg.AssetExecutionContext, lake: Lake) -> Draft:
    """The catalogue as of the day: one row per item, from the landed item files."""
    inputs = lake.inputs(context)
    source = source_of(inputs)
    zone = LandingZone.of(inputs.home)
    inputs.note("landing:items", zone.fingerprint("items", inputs.day))
    if source.items is None:
        return Draft(inputs, None, answer=not_available(NO_ITEMS))
    assert zone.items is not None
    frame = item_snapshot(zone.items.until(inputs.day), source, zone.rules)
    require_no_smaller_snapshot(inputs, "landing:items", frame.height, zone.items, zone.rules)
    inputs.warnings.extend(zone.items.passed_over)
    by_category = frame.group_by("category").agg(pl.len().alias("items"), pl.col("price").mean().round(2))
    return Draft(
        inputs,
        frame,
        lineage=items_lineage(source),
        metadata={
            "with_title": int(frame["title"].is_not_null().sum()),
            "categories": table(by_category.sort("items", descending=True).head(20)),
        },
    )
