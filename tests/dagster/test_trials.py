"""A trial through the pipeline, in a tiny world of one week a trial: enrolled, looked at once, whatever comes late."""

from datetime import timedelta

import polars as pl
import pytest
import yaml

from causalrec.evaluation.trials.notes import TrialNotes
from causalrec_assets.lake.notes import from_json
from causalrec_assets.lake.releases import ReleaseLog
from causalrec_assets.lake.store import Store
from causalrec_assets.lake.trials import TrialLog
from causalrec_assets.serving.released import bundle_hash
from tests.worlds import FIRST, LEARNING, LOGS, build, make_home, materialise, table, tiny, words

OPENED = FIRST + timedelta(days=5)
"""The trial is opened on it, and its one look takes the seven days after it."""
LATER = ("trial_policy", "trial_report", "evaluation_report", "release")
pytestmark = [pytest.mark.slow]


def learn(home, day, names=LEARNING):
    result = materialise(home, day, names)
    assert result.success, words(result)
    return table(home, "release", day).row(0, named=True)


def logs(home, first, last):
    for k in range((last - first).days + 1):
        result = materialise(home, first + timedelta(days=k), LOGS)
        assert result.success, words(result)


def kinds(home):
    return [one.kind.value for one in TrialLog(Store(home.lake)).entries()]


@pytest.fixture(scope="module")
def enrolled(tmp_path_factory):
    """A home of fourteen landed days, the first six of which are built: the newest of them enrols its challenger."""
    home = make_home(tmp_path_factory.mktemp("trial") / "home", tiny(days=14))
    rule = yaml.safe_load((home.data / "release.yaml").read_text())
    rule |= {
        "retrospective": None,
        "trial_weeks": 1,
        "estimand": "raw",
        "min_clusters": 20,
        "min_difference_outcomes": 20,
    }
    rule |= {"false_release_share": 0.4, "off_policy_share": 0.4}
    (home.data / "release.yaml").write_text(yaml.safe_dump(rule))
    aside = home.root / "later"
    for k in range(6, 14):
        land(home, k, aside, back=False)
    build(home, 6)
    return home


def land(home, k, aside=None, back=True):
    """Bring a day's landed files in, or take them away."""
    day = f"day={FIRST + timedelta(days=k)}"
    aside = aside or home.root / "later"
    here, there = home.landing / "events" / day, aside / day
    source, target = (there, here) if back else (here, there)
    target.parent.mkdir(parents=True, exist_ok=True)
    source.rename(target)


def test_a_trial_from_its_enrolment_to_its_end(enrolled):
    home, store = enrolled, Store(enrolled.lake)
    row = table(home, "release", OPENED).row(0, named=True)
    assert (row["verdict"], row["decision"]) == ("wait", "kept")
    (opened,) = TrialLog(store).entries()
    challenger = opened.record["bundle"]
    assert "no trial runs" in store.pointer("trial_report", OPENED).answer.reason

    # In between nothing is due, and it is said; today's challenger is another bundle, and waits.
    between = OPENED + timedelta(days=2)
    for k in (6, 7):
        land(home, k)
    logs(home, OPENED + timedelta(days=1), between)
    row = learn(home, between)
    assert "has 2 of 7 days" in store.pointer("trial_report", between).answer.reason
    assert kinds(home) == ["opened"]

    # Days 8 to 13 land together; only the newest is learned. The look takes exactly the seven days after the enrolment.
    newest = OPENED + timedelta(days=8)
    for k in range(8, 14):
        land(home, k)
    logs(home, between + timedelta(days=1), newest)
    row = learn(home, newest)
    notes = from_json(TrialNotes, store.pointer("trial_report", newest).notes)
    (look,) = notes.looks
    assert (look.first_day, look.last_day) == (OPENED + timedelta(days=1), OPENED + timedelta(days=7))
    report = table(home, "trial_report", newest)
    assert report["trial"].unique().to_list() == [bundle_hash(challenger)]
    assert report.select(pl.col("first_day").min(), pl.col("last_day").max()).row(0) == (look.first_day, look.last_day)
    # What is expected of the rest of a request is counted on the days before the enrolment.
    assert f"table:units:{FIRST}" in store.pointer("trial_report", newest).inputs
    judged = table(home, "trial_policy", newest).filter(kind="slot")
    assert set(judged["policy"]) == {"challenger"}
    assert kinds(home)[:3] == ["opened", "look", "closed"]
    assert look.trusted, look.reason
    if look.decision == "release":
        (move,) = ReleaseLog(store).moves()
        assert move.champion.bundle == challenger
        assert row["decision"] == "released"

    # A run again, on late rows, changes nothing that was decided.
    entries, moves = TrialLog(store).entries(), ReleaseLog(store).moves()
    late = home.landing / "events" / f"day={look.first_day}" / "events.parquet"
    rows = pl.read_parquet(late)
    # Nobody has clicked but those who bought.
    rows.with_columns(click=pl.col("purchase").cast(rows["click"].dtype)).write_parquet(late)
    logs(home, look.first_day, newest)
    learn(home, newest, LATER)
    assert TrialLog(store).entries() == entries
    assert ReleaseLog(store).moves() == moves

    # An older day, backfilled, writes what it would have decided, and no entry.
    older = learn(home, OPENED + timedelta(days=7))
    assert older["decision"] == "recorded"
    assert TrialLog(store).entries() == entries
