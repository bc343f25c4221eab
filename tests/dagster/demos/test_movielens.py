"""The demo on ratings: no exposures, no clicks, no arms. Every stage answers, in words, and nothing is made up."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from causalrec.home import CHECKOUT
from causalrec.logs.formats.movielens import FIRST_DAY
from causalrec_assets.lake.store import Store

pytestmark = pytest.mark.slow
DAYS = 30
DAY = FIRST_DAY + timedelta(days=DAYS - 1)
EXPECTED = {
    "items": "answered",
    "users": "not_available",
    "clean_events": "answered",
    "history": "answered",
    "units": "answered",
    "discovered_graph": "answered",
    "causal_graph": "answered",
    "adjustment_sets": "answered",
    "item_embeddings": "answered",
    "treatment_propensities": "not_identifiable",
    "action_propensities": "not_available",
    "effects": "answered",
    "outcome_model": "not_available",
    "target_policy": "not_available",
    "off_policy_report": "not_available",
    "effect_report": "answered",
    "evaluation_report": "answered",
    "release": "answered",
    "recommendations": "not_available",
}


def ratings(folder):
    """Thirty films that twelve people rate on thirty days, a week apart: two a day each, as seen on a Tuesday."""
    folder.mkdir()
    rows = ["userId,movieId,rating,timestamp"]
    for k in range(DAYS):
        evening = datetime(2017, 1, 3, 18, tzinfo=UTC) + timedelta(weeks=k)
        for user in range(12):
            for turn in range(2):
                film = (7 * k + 5 * user + 13 * turn) % 30 + 1
                at = evening + timedelta(minutes=10 * user + turn)
                rows.append(f"{user + 1},{film},{(film + user) % 10 / 2 + 0.5},{int(at.timestamp())}")
    (folder / "ratings.csv").write_text("\n".join(rows) + "\n")
    films = [f"{k},Film {k} ({1950 + k}),{('Drama', 'Comedy', 'War')[k % 3]}|Romance" for k in range(1, 31)]
    (folder / "movies.csv").write_text("movieId,title,genres\n" + "\n".join(films) + "\n")
    return folder


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    work = tmp_path_factory.mktemp("movielens")
    command = [sys.executable, "-W", "ignore", "-m", "causalrec_assets.commands.demo", "--logs", "movielens"]
    command += ["--dir", str(ratings(work / "ml")), "--home", str(work / "home")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=CHECKOUT, env=dict(os.environ))
    assert done.returncode == 0, done.stdout + done.stderr
    return Store(work / "home" / "lake"), done.stdout


def table(store, name):
    return pl.read_parquet(store.data_path(store.pointer(name, DAY)))


def test_every_asset_gives_exactly_this_answer(demo):
    store, _ = demo
    assert {name: store.pointer(name, DAY).answer.status.value for name in EXPECTED} == EXPECTED


def test_the_question_is_not_identifiable_because_nobody_said_what_was_recommended(demo):
    sets = table(demo[0], "adjustment_sets")
    assert sets["status"].to_list() == ["not_identifiable"]
    assert "do not say what was recommended" in sets["reason"][0]


def test_no_arm_click_or_propensity_was_made_up_and_days_are_in_a_row(demo):
    store, _ = demo
    days = [FIRST_DAY + timedelta(days=k) for k in range(DAYS)]
    units = pl.concat([pl.read_parquet(store.data_path(store.pointer("units", day))) for day in days])
    assert units.height == DAYS * 24
    for column in ("recommended", "click", "policy", "action_propensity", "position", "purchase", "price"):
        assert units[column].null_count() == units.height, column
    assert units["rating"].null_count() == 0
    assert units["time"].dt.date().n_unique() == DAYS


def test_nothing_is_released_and_the_report_says_what_the_days_are(demo):
    store, said = demo
    release = table(store, "release").row(0, named=True)
    assert (release["verdict"], release["decision"]) == ("not_available", "kept")
    html = store.file_path(store.pointer("evaluation_report", DAY), "report.html").read_text()
    for words in ("last_60_with_data_as_consecutive", "are not real", "what was shown and not rated is not known"):
        assert words in " ".join(html.split()), words
    assert "weekday, season, recency and tenure are not real" in said
    assert "make ui DIR=" in said


def test_without_a_folder_the_demo_says_what_it_needs(tmp_path):
    command = [
        sys.executable,
        "-m",
        "causalrec_assets.commands.demo",
        "--logs",
        "movielens",
        "--home",
        str(tmp_path / "home"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=CHECKOUT)
    assert done.returncode == 1
    assert "nobody fetches movielens: name the folder that holds it" in done.stdout
    assert not (tmp_path / "home").exists()
