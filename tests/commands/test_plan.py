"""`make plan` on a home: read from what is published, and said where nothing is."""

import shutil
from datetime import timedelta

import polars as pl
import pytest
import yaml

from benchmarks.verdict.histories import FIRST
from benchmarks.verdict.whole import AND_REVENUE, LOGS, Traffic
from benchmarks.verdict.worlds import Shop, World
from causalrec.answers import ANSWERED, Answer, InputError, Status, not_available
from causalrec.evaluation.policy_values import SCHEMA, report
from causalrec.evaluation.rounds import EvaluationData, logged_propensities
from causalrec.home import Home
from causalrec.logs.gaps import NO_ACTION_PROPENSITIES
from causalrec.policy.policies import CHALLENGER
from causalrec.settings.file import read_setting
from causalrec.settings.release import ReleaseRule
from causalrec_assets.commands import plan
from causalrec_assets.commands.home import create_home
from causalrec_assets.lake.notes import to_json
from causalrec_assets.lake.releases import ReleaseLog
from causalrec_assets.lake.storage.pointer import Version
from causalrec_assets.lake.store import open_store

DAYS = [FIRST + timedelta(days=1 + k) for k in range(8)]
LAST = DAYS[-1]
UNITS_NOTES = {
    "roles": {},
    "covariates": [],
    "action_context": [],
    "cluster": "user_id",
    "organic_rows": "none",
    "held_out_policies": [],
}
POLICY_NOTES = {"report_by": [], "objective": AND_REVENUE.to_json()}


def publish(home, table, frame, day=LAST, notes=None, answer=ANSWERED):
    """One more version of a table's day."""
    store = open_store(home)
    before = store.pointer(table, day)
    staged = store.staging(table, day, "run")
    frame.write_parquet(staged)
    version = Version(table, day, frame.height, answer, notes or {}, {}, {}, "run")
    store.publish(staged, version, before.number if before else 0)


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """A home with what a comparison of two policies leaves: eight days of 500 rounds, of which seven judge."""
    home = create_home(tmp_path_factory.mktemp("judged") / "home")
    source = yaml.safe_load((home.data / "sources.yaml").read_text()) | {"first_day": DAYS[0]}
    (home.data / "sources.yaml").write_text(yaml.safe_dump(source))
    learning = {"window_days": 1, "judgement_days": 7, "min_days": 1, "seed": 1}
    (home.data / "learning.yaml").write_text(yaml.safe_dump(learning))
    traffic = Traffic(Shop(World("", 0.3, 500), 0), len(DAYS))
    rounds = slice(500, 500 * len(DAYS))
    data = EvaluationData(
        traffic.units,
        traffic.targets({CHALLENGER: traffic.shop.challenger(0.05)}, rounds),
        logged_propensities(traffic.units),
        AND_REVENUE.satisfying,
        AND_REVENUE.margin,
        "user_id",
        (),
        (),
        DAYS[1:],
        LOGS,
        AND_REVENUE,
    )
    for day in DAYS:
        publish(home, "units", traffic.units.filter(day=day), day, UNITS_NOTES)
    publish(home, "target_policy", data.targets, notes=POLICY_NOTES)
    publish(home, "action_propensities", data.propensities)
    publish(home, "off_policy_report", report(data, ReleaseRule.parse(read_setting(home, "release.yaml"))))
    return home


@pytest.fixture
def home(judged, tmp_path):
    """A copy of it, to change."""
    shutil.copytree(judged.root, tmp_path / "home")
    return Home(tmp_path / "home")


def planned(home):
    return list(plan.lines(home))


def refused(home):
    with pytest.raises(InputError) as told:
        planned(home)
    return str(told.value)


def unanswered(home, answer, day=LAST, notes=None):
    publish(home, "off_policy_report", pl.DataFrame(schema=SCHEMA), day, notes, answer)


def test_a_home_without_a_report_says_what_to_materialise(tmp_path, monkeypatch, capsys):
    home = create_home(tmp_path / "home")
    monkeypatch.setenv("CAUSALREC_HOME", str(home.root))
    assert plan.main([]) == 1
    said = capsys.readouterr()
    assert said.out == "" and str(home.root) in said.err
    assert "no report has been published yet; materialise `off_policy_report`" in said.err


@pytest.mark.parametrize("folder", [".", "nothing-there"])
def test_a_folder_that_is_no_home_is_none(folder, tmp_path):
    assert f"there is no home at {tmp_path / folder}: make one" in refused(Home(tmp_path / folder))


@pytest.mark.parametrize(("arguments", "status"), [(["--help"], 0), (["x"], 2)])
def test_it_takes_no_arguments(arguments, status, capsys):
    assert plan.main(arguments) == status
    assert "python -m causalrec_assets.commands.plan" in capsys.readouterr().out


def test_a_comparison_is_planned_from_in_the_columns_of_a_terminal(judged):
    said = planned(judged)
    assert said[0] == f"Planned from `off_policy_report` of {LAST}."
    assert said[1].startswith(f"3,500 judged rounds on {DAYS[1]} to {LAST}, 3,500 a week. Raw decides, held")
    assert any("More exploration: " in line for line in said) and any("To rule out a loss" in line for line in said)
    assert max(map(len, said)) <= 100


def test_the_last_look_at_a_trial_is_planned_from_where_it_has_as_many_rounds(home):
    store = open_store(home)
    frame = store.read_frame(store.pointer("off_policy_report", LAST))
    looks = [frame.select(pl.lit("c").alias("trial"), pl.lit(k).alias("look"), pl.all()) for k in (1, 2)]
    looks[0] = looks[0].with_columns(rounds=pl.lit(10, pl.Int64))
    publish(home, "trial_report", pl.concat(looks))
    publish(home, "trial_policy", store.read_frame(store.pointer("target_policy", LAST)), notes=POLICY_NOTES)
    said = planned(home)
    assert said[0] == f"Planned from `trial_report` of {LAST}." and said[1].startswith("3,500 judged rounds on")
    assert any("More exploration: " in line for line in said)


def test_what_is_held_against_a_champion_spends_its_error_where_the_logs_name_it(home):
    store, releases = open_store(home), ReleaseLog(open_store(home))
    report = store.read_frame(store.pointer("off_policy_report", LAST))
    assert not any("Since then a release serves" in line for line in planned(home))
    releases.move(DAYS[0], {"partition": str(DAYS[0])}, None)
    assert any("Since then a release serves" in line for line in planned(home))
    publish(home, "off_policy_report", report.with_columns(baseline=pl.lit("champion")))
    assert "champion; up to 4 weekly looks, each with a one-sided error of 0.31%" in " ".join(planned(home))
    for day in DAYS:
        units = store.read_frame(store.pointer("units", day))
        publish(home, "units", units.with_columns(policy=pl.lit("release-1")), day, UNITS_NOTES)
    said = " ".join(planned(home))
    assert "champion; up to 4 weekly looks, each with a one-sided error of 0.39%" in said and "Since" not in said


def test_logs_without_propensities_say_what_to_log(home):
    unanswered(home, not_available(NO_ACTION_PROPENSITIES))
    assert f"`off_policy_report` of {LAST}: {NO_ACTION_PROPENSITIES}." in refused(home)


def test_it_is_the_newest_day_that_says_why(home):
    unanswered(home, not_available("the oldest says this"), DAYS[-2])
    unanswered(home, Answer(Status.INSUFFICIENT_EVIDENCE, "the newest says that"))
    assert f"`off_policy_report` of {LAST}: the newest says that." in refused(home)


def test_a_day_without_a_challenger_says_why_there_is_none(home):
    unanswered(home, ANSWERED, notes={"no_challenger": to_json(not_available("no user is known"))})
    assert f"of {LAST}: no user is known." in refused(home)
    unanswered(home, ANSWERED)
    assert f"of {LAST}: it has no challenger that was judged by its raw value." in refused(home)


def test_a_comparison_that_has_no_error_says_why(home):
    frame = open_store(home).read_frame(open_store(home).pointer("off_policy_report", LAST))
    of_weights = frame.with_columns(difference_std_error=pl.lit(None, pl.Float64), reason=pl.lit("3 rounds"))
    publish(home, "off_policy_report", of_weights)
    assert f"of {LAST}: 3 rounds." in refused(home)


@pytest.mark.parametrize("estimand", ["raw", "total"])
def test_a_report_of_another_release_is_asked_for_again(home, estimand):
    frame = open_store(home).read_frame(open_store(home).pointer("off_policy_report", LAST))
    publish(home, "off_policy_report", frame.filter(estimand="raw").drop("estimand", "difference_std_error"))
    rule = yaml.safe_load((home.data / "release.yaml").read_text()) | {"estimand": estimand}
    (home.data / "release.yaml").write_text(yaml.safe_dump(rule))
    assert "another release of the code published it" in refused(home)


def test_target_policies_of_another_release_keep_the_rest_of_the_plan(home):
    store = open_store(home)
    targets = store.read_frame(store.pointer("target_policy", LAST)).drop("candidates")
    publish(home, "target_policy", targets, notes=POLICY_NOTES)
    said = " ".join(planned(home))
    assert "What more exploration would buy is not told: `target_policy`" in said
    assert "has no column `candidates`: another release of the code published it" in said
    assert "gain found" in said


def test_days_that_are_gone_keep_the_rest_of_the_plan(home):
    shutil.rmtree(home.lake / "units" / f"day={DAYS[2]}")
    said = " ".join(planned(home))
    assert f"What more exploration would buy is not told: `units` of {DAYS[2]} is not in the lake." in said
    assert "gain found" in said


@pytest.mark.dagster
def test_a_built_home_is_planned_from_its_newest_report(built, monkeypatch, capsys):
    monkeypatch.setenv("CAUSALREC_HOME", str(built.root))
    assert plan.main([]) == 0
    said = capsys.readouterr().out
    assert said.startswith("Planned from `off_policy_report` of ")
    assert "gain found" in said and "More exploration:" in said
