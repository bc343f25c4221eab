"""Judgement days on which nothing happened: the evidence is insufficient because of that, and nothing else is said."""

import shutil
from datetime import timedelta

import pytest

from causalrec_assets.lake.store import Store
from tests.worlds import FIRST, build, make_home, table, tiny


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_nothing_happened_on_the_judgement_days(tmp_path):
    home = make_home(tmp_path / "home", tiny())
    for day in (FIRST + timedelta(days=4), FIRST + timedelta(days=5)):
        folder = home.landing / "events" / f"day={day}"
        shutil.rmtree(folder)
        folder.mkdir()
        (folder / "_EMPTY").touch()
    last = build(home, 6)
    said = table(home, "evaluation_report", last)
    pointer = Store(home.lake).pointer("evaluation_report", last)
    assert pointer is not None and pointer.notes["verdict"] == "insufficient_evidence", said
    assert "nothing happened on the judgement days (2026-03-06 to 2026-03-07)" in pointer.notes["reason"]
    assert "propensity" not in pointer.notes["reason"]
    assert table(home, "recommendations", last).is_empty()
