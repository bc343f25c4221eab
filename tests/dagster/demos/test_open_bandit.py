"""The demo on real logs: what is real, what is answered, and nothing made up."""

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from causalrec.answers import InputError
from causalrec.home import CHECKOUT
from causalrec.logs.formats.open_bandit import WHEEL, fetch_open_bandit
from causalrec_assets.lake.store import Store

DAY = date(2019, 11, 30)
EXPECTED = {
    "items": "answered",
    "users": "not_available",
    "clean_events": "answered",
    "history": "not_available",
    "units": "answered",
    "discovered_graph": "answered",
    "causal_graph": "answered",
    "adjustment_sets": "answered",
    "item_embeddings": "not_available",
    "treatment_propensities": "not_identifiable",
    "action_propensities": "answered",
    "effects": "answered",
    "outcome_model": "answered",
    "target_policy": "answered",
    "off_policy_report": "answered",
    "effect_report": "answered",
    "evaluation_report": "answered",
    "release": "answered",
    "recommendations": "not_available",
}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    cache = CHECKOUT / ".home" / "cache"
    try:
        fetch_open_bandit(cache)
    except InputError as error:
        # Only a person without a network is excused: not a wheel with another checksum, and not CI.
        if (cache / WHEEL).exists() or os.environ.get("CI"):
            raise
        pytest.skip(f"the Open Bandit sample cannot be fetched here: {error}")
    home: Path = tmp_path_factory.mktemp("obd") / "home"
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "causalrec_assets.commands.demo",
        "--logs",
        "obd",
        "--home",
        str(home),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=CHECKOUT, env=dict(os.environ))
    assert done.returncode == 0, done.stdout + done.stderr
    return Store(home / "lake")


def table(store, name):
    return pl.read_parquet(store.data_path(store.pointer(name, DAY)))


def test_every_asset_gives_exactly_this_answer(store):
    assert {name: store.pointer(name, DAY).answer.status.value for name in EXPECTED} == EXPECTED


def test_the_questions_are_not_identifiable_because_there_is_no_organic_arm(store):
    for name in ("adjustment_sets", "effects", "effect_report"):
        assert table(store, name)["status"].unique().to_list() == ["not_identifiable"]
    assert "organic" in " ".join(
        table(store, "adjustment_sets")["reason"]
    ) or "recommended impressions only" in " ".join(table(store, "adjustment_sets")["reason"])


def test_constant_columns_are_dropped_from_the_graph_and_named(store):
    dropped = {d["column"]: d["reason"] for d in store.pointer("discovered_graph", DAY).notes["dropped"]}
    assert "constant" in dropped["recommended"]


def test_the_outcome_model_has_the_click_head_of_the_shown_arm_only(store):
    frame = table(store, "outcome_model")
    assert store.pointer("outcome_model", DAY).notes["arms"] == "shown"
    assert frame["click_if_recommended"].null_count() == 0
    assert frame.select("click_if_not", "purchase_if_recommended").null_count().row(0) == (frame.height, frame.height)


@pytest.mark.parametrize(("section", "effective"), [("all", 340), ("men", 656)])
def test_uniform_is_judged_from_the_thompson_logs_beside_its_answer_sheet(store, section, effective):
    rows = table(store, "off_policy_report").filter(
        (pl.col("segment") == f"section={section}") & (pl.col("policy") == "uniform"),
        estimand="raw",
        metric="satisfaction",
    )
    by = {row["estimator"]: row for row in rows.iter_rows(named=True)}
    assert [name for name in ("ips", "snips", "dm", "dr") if by[name]["lower"] is None] == []
    assert round(by["ips"]["effective_rounds"]) == effective
    assert by["answer_sheet_mean"]["rounds"] == 10_000
    # Both are estimates: their 95 % intervals overlap.
    sheet = by["answer_sheet_mean"]
    assert by["ips"]["lower"] <= sheet["upper"]
    assert sheet["lower"] <= by["ips"]["upper"]


def test_section_women_is_insufficient_evidence_with_two_effective_rounds(store):
    rows = table(store, "off_policy_report").filter(
        (pl.col("segment") == "section=women") & (pl.col("policy") == "uniform") & (pl.col("estimator") == "ips"),
        estimand="raw",
        metric="satisfaction",
    )
    row = rows.row(0, named=True)
    assert (row["status"], row["estimate"], int(row["effective_rounds"])) == ("insufficient_evidence", None, 2)
    assert "2 effective rounds of 10,000" in row["reason"]


def test_the_report_says_each_gap_in_words(store):
    pointer = store.pointer("evaluation_report", DAY)
    html = store.file_path(pointer, "report.html").read_text()
    for words in ("no user id", "no item has a text", "recommended impressions only", "2 effective rounds of 10,000"):
        assert words in html
    assert "http://" not in html.replace("http://www.w3.org", "")
    assert "https://" not in html


def test_no_id_arm_or_propensity_was_made_up(store):
    days = [date(2019, 11, d) for d in range(24, 31)]
    units = pl.concat([pl.read_parquet(store.data_path(store.pointer("units", day))) for day in days])
    assert units.height == 60_000
    assert units["user_id"].null_count() == units.height
    assert units["recommended"].unique().to_list() == [1]
    assert units.filter(pl.col("policy") == "random").group_by("section").agg(pl.col("action_propensity").first()).sort(
        "section"
    )["action_propensity"].round(4).to_list() == [0.0125, 0.0294, 0.0217]


def test_the_answer_sheet_is_read_by_no_fit(store):
    notes = store.pointer("outcome_model", DAY).notes
    days = [date(2019, 11, d) for d in (24, 25, 26)]
    units = pl.concat([pl.read_parquet(store.data_path(store.pointer("units", day))) for day in days])
    assert notes["training_units"] == units.filter(pl.col("policy") == "bts").height
