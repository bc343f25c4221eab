"""The asset `users`: the users as of the day."""

import dagster as dg

from causalrec.answers import not_available
from causalrec.logs.cleaning.forgotten import without_forgotten
from causalrec.logs.gaps import NO_USER_ID, NO_USERS
from causalrec.logs.landing.snapshots import user_snapshot
from causalrec.logs.landing.zone import LandingZone
from causalrec.logs.units.lineage import (
    LANDED_USERS,
    users_lineage,
)
from causalrec.logs.units.notes import UsersNotes
from causalrec_assets.common.gated import gated_asset
from causalrec_assets.common.ui import listing
from causalrec_assets.gate.draft import Draft
from causalrec_assets.logs.good_version import require_no_smaller_snapshot
from causalrec_assets.logs.shared import forgotten_users, source_of
from resources.lake import Lake


@gated_asset("users", group_name="logs", deps=[LANDED_USERS])
def users(context: dg.AssetExecutionContext, lake: Lake) -> Draft:
    """The users as of the day. Their attributes are covariates; those declared sensitive are read by no policy."""
    inputs = lake.inputs(context)
    source = source_of(inputs)
    zone = LandingZone.of(inputs.home)
    inputs.note("landing:users", zone.fingerprint("users", inputs.day))
    if source.users is None:
        reason = NO_USER_ID if not source.has("user_id") else NO_USERS
        return Draft(inputs, None, answer=not_available(reason))
    assert zone.users is not None
    listed = user_snapshot(zone.users.until(inputs.day), source, zone.rules)
    require_no_smaller_snapshot(inputs, "landing:users", listed.height, zone.users, zone.rules)
    inputs.warnings.extend(zone.users.passed_over)
    frame = without_forgotten(listed, forgotten_users(inputs))
    attributes = [c for c in frame.columns if c != "user_id"]
    known = [f"{c}: {frame[c].n_unique()} values, {frame[c].null_count()} unknown" for c in attributes]
    return Draft(
        inputs,
        frame,
        lineage=users_lineage(source),
        notes=UsersNotes(tuple(source.sensitive)),
        metadata={
            "sensitive": ", ".join(source.sensitive) or "none",
            "attributes": listing(known),
        },
    )
