"""The Open Bandit sample, read from a small archive of its shape."""

import hashlib
import subprocess
import zipfile

import polars as pl
import pytest
import yaml

from causalrec.answers import InputError
from causalrec.home import TEMPLATE, Home
from causalrec.logs.cleaning.clean import clean_day
from causalrec.logs.formats import open_bandit
from causalrec.logs.formats.open_bandit import POLICIES, SECTIONS, fetch_open_bandit, land_open_bandit
from causalrec.logs.landing.snapshots import item_snapshot
from causalrec.logs.landing.zone import LandingZone
from causalrec.settings.logs.cleaning import CleaningRules
from causalrec.settings.logs.sources import parse_source

HEAD = (
    ",timestamp,item_id,position,click,propensity_score,"
    "user_feature_0,user_feature_1,user_feature_2,user_feature_3,user-item_affinity_0\n"
)
ITEM_HEAD = ",item_id,item_feature_0,item_feature_1,item_feature_2,item_feature_3\n"
ROWS = (
    "0,2019-11-24 00:00:17.004101+00:00,1,1,0,0.25,a,b,c,d,0.0\n"
    "1,2019-11-24 23:59:59.999999+00:00,0,3,1,0.75,a,b,c,d,1.0\n"
    "2,2019-11-25 10:00:00+00:00,0,2,0,0.5,e,b,c,d,0.0\n"
)


def write_wheel(path):
    with zipfile.ZipFile(path, "w") as archive:
        for policy in POLICIES:
            for section in SECTIONS:
                folder = f"obp/dataset/obd/{policy}/{section}"
                archive.writestr(f"{folder}/{section}.csv", HEAD + ROWS)
                items = f"{ITEM_HEAD}0,0,-0.5,{policy},x,y\n1,1,0.5,{policy},x,z\n"
                archive.writestr(f"{folder}/item_context.csv", items)
        archive.writestr(open_bandit.LICENSE, "the licence")
    return path


@pytest.fixture
def wheel(tmp_path):
    return write_wheel(tmp_path / "sample.whl")


def checksum(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def landing(wheel, tmp_path):
    land_open_bandit(wheel, tmp_path / "landing", checksum(wheel))
    return tmp_path / "landing"


@pytest.fixture
def source():
    return parse_source(yaml.safe_load((TEMPLATE / "demos/obd/sources.yaml").read_text()))


def test_there_is_a_file_per_policy_section_and_day(landing):
    files = {str(path.relative_to(landing)) for path in landing.rglob("*.parquet")}
    days = ("2019-11-24", "2019-11-25")
    expected = {
        f"events/day={day}/{policy}-{section}.parquet" for day in days for policy in POLICIES for section in SECTIONS
    }
    assert files == expected | {"items/items.parquet"}


def test_the_licence_and_what_was_changed_lie_beside_it(landing):
    assert (landing / "LICENSE").read_text() == "the licence"
    notice = (landing / "NOTICE").read_text()
    assert "Saito" in notice
    assert "affinity columns left out" in notice


def test_its_mapping_reads_what_was_landed(landing, source, tmp_path):
    zone = LandingZone(Home(tmp_path), source, CleaningRules(), landing)
    landed = zone.landed_day(source.first_day)
    cleaned = clean_day(landed, source, zone.rules, tmp_path / "clean.parquet", tmp_path / "aside.parquet")
    assert cleaned.set_aside.is_empty()
    assert cleaned.events.height == cleaned.landed_rows == 12
    one = cleaned.events.filter(pl.col("event_id") == "bts/men/1").row(0, named=True)
    assert {
        k: one[k] for k in ("item_id", "section", "policy", "position", "action_propensity", "click", "recommended")
    } == {
        "item_id": "men/0",
        "section": "men",
        "policy": "bts",
        "position": 3,
        "action_propensity": 0.75,
        "click": 1,
        "recommended": 1,
    }
    assert cleaned.events["event_id"].n_unique() == 12
    assert [c for c in cleaned.events.columns if "affinity" in c] == []


def test_an_item_is_its_sections_own_with_the_names_of_the_judged_logs(landing, source):
    items = item_snapshot([landing / "items" / "items.parquet"], source)
    assert items["item_id"].to_list() == ["all/0", "all/1", "men/0", "men/1", "women/0", "women/1"]
    assert items["item_feature_1"].unique().to_list() == ["bts"]
    assert items.schema["item_feature_0"] == pl.Float64


def test_the_random_rows_are_the_answer_sheet_and_there_is_no_user(source):
    assert source.held_out_policies == ("random",)
    assert not source.has("user_id")
    assert source.cluster == "hour"


def test_another_file_is_not_read(wheel, tmp_path):
    with pytest.raises(
        InputError, match=r"sample\.whl has the checksum .*, expected 87dec9ca.*; remove it and try again"
    ):
        land_open_bandit(wheel, tmp_path / "landing")
    assert not (tmp_path / "landing").exists()
    with pytest.raises(InputError, match="does not exist; fetch it first"):
        land_open_bandit(tmp_path / "gone.whl", tmp_path / "landing")


def test_a_fetched_file_is_used_again_once_verified(wheel, tmp_path, monkeypatch):
    monkeypatch.setattr(open_bandit, "WHEEL", wheel.name)
    monkeypatch.setattr(open_bandit, "SHA256", checksum(wheel))
    assert fetch_open_bandit(tmp_path) == wheel
    wheel.write_bytes(b"another")
    with pytest.raises(InputError, match="remove it and try again"):
        fetch_open_bandit(tmp_path)


@pytest.mark.parametrize(
    ("stderr", "says"), [("noise\nno network", "no network"), ("", "ended with 1 and said nothing")]
)
def test_without_a_network_it_says_where_to_put_the_file(tmp_path, monkeypatch, stderr, says):
    done = subprocess.CompletedProcess([], 1, "", stderr)
    monkeypatch.setattr(open_bandit.subprocess, "run", lambda *_, **__: done)
    with pytest.raises(
        InputError,
        match=rf"could not fetch obp==0.4.1 \({says}|{says}\).*put obp-0.4.1-py3-none-any.whl into",
    ):
        fetch_open_bandit(tmp_path / "cache")
