"""What the log assets read alike, and the landed files that they start from."""

import dagster as dg

from causalrec.logs.cleaning.forgotten import FILE as FORGOTTEN
from causalrec.logs.cleaning.forgotten import Forgotten
from causalrec.logs.landing.zone import LandingZone
from causalrec.logs.units.lineage import (
    LANDED_EVENTS,
    LANDED_ITEMS,
    LANDED_USERS,
)
from causalrec.settings.logs.cleaning import FILE as CLEANING
from causalrec.settings.logs.sources import Source, parse_source
from causalrec_assets.forgetting.list_file import read_forgotten
from causalrec_assets.lake.inputs import Inputs


def source_of(inputs: Inputs) -> Source:
    return parse_source(inputs.setting("sources.yaml"))


def zone_of(inputs: Inputs) -> LandingZone:
    inputs.setting(CLEANING)
    return LandingZone.of(inputs.home)


LANDED = [
    dg.AssetSpec(name, group_name="landing", kinds={"file"}, description=f"The landed {what}, as they came: {where}.")
    for name, what, where in (
        (LANDED_EVENTS, "events", "files below `data/landing`, under your own names (`data/sources.yaml`)"),
        (LANDED_ITEMS, "catalogues", "in `day=D` folders, each counts from its day on"),
        (LANDED_USERS, "users", "in `day=D` folders, each counts from its day on"),
    )
]


def forgotten_users(inputs: Inputs) -> Forgotten:
    inputs.setting(FORGOTTEN)
    forgotten, sentences = read_forgotten(inputs.home, inputs.store)
    inputs.warnings.extend(sentences)
    return forgotten
