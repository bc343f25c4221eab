"""Which landed files hold a user's rows."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from causalrec.answers import InputError
from causalrec.logs.landing.files import landed_files
from causalrec.logs.landing.first_look import away
from causalrec.logs.landing.zone import LandingZone
from causalrec.logs.reading.casting import take_columns
from causalrec.logs.reading.files import open_landed
from causalrec.settings.logs.cleaning import CleaningRules
from causalrec.settings.logs.feeds import Feed
from causalrec_assets.gate.quotations import without_quotations


def landed_with(zone: LandingZone, user_id: str) -> tuple[list[str], list[str]]:
    """Landed files that hold a row of the user, and those that could not be searched, with why."""
    holding, unread = [], []
    for feed in (zone.source.events, zone.source.users, *(stream.feed for stream in zone.source.streams)):
        if feed is None or "user_id" not in feed.columns:
            continue
        for path in landed_files(zone.root / feed.folder):
            try:
                if away(path, zone.rules, None, _has_user, feed, zone.source.time_zone, zone.rules, user_id):
                    holding.append(str(path))
            except InputError as error:
                unread.append(without_quotations(str(error)))
    return holding, unread


def _has_user(path: Path, name: str, feed: Feed, time_zone: str, rules: CleaningRules, user_id: str) -> bool:
    """Ids are read as the cleaning reads them: 12, 12.0 and "12" of several formats are one user."""
    with open_landed(path, rules, feed.csv, name) as landed:
        for piece in landed.pieces([feed.columns["user_id"]]):
            ids = take_columns(piece, feed, {"user_id": pl.String()}, time_zone).rows["user_id"]
            if (ids == user_id).any():
                return True
    return False
