"""KuaiRand and KuaiRec, from files of a few rows in their layouts."""

from datetime import UTC, date, datetime

import pytest
import yaml

from causalrec.answers import InputError
from causalrec.home import TEMPLATE, Home
from causalrec.logs.cleaning.clean import clean_day
from causalrec.logs.formats.kuai import land_kuairand, land_kuairec
from causalrec.logs.landing.snapshots import item_snapshot, user_snapshot
from causalrec.logs.landing.zone import LandingZone
from causalrec.settings.learning import parse_learning
from causalrec.settings.logs.cleaning import CleaningRules
from causalrec.settings.logs.sources import parse_source
from causalrec.settings.objective import Objective
from causalrec.settings.questions import Questions
from causalrec_assets.lake.windows import learning_window

LOG = (
    "user_id,video_id,date,hourmin,time_ms,is_click,is_like,is_follow,is_comment,is_forward,is_hate,long_view,"
    "play_time_ms,duration_ms,profile_stay_time,comment_stay_time,is_profile_enter,is_rand,tab\n"
)
USERS = (
    "user_id,user_active_degree,is_lowactive_period,follow_user_num,follow_user_num_range,fans_user_num_range,"
    "friend_user_num_range,register_days_range,onehot_feat0\n"
    '7,full_active,0,5,"(0,10]","[100,1k)",0,730+,1\n'
)


def row(video, time_ms, click, rand, tab=1):
    return f"7,{video},20220422,400,{time_ms},{click},0,0,0,0,0,0,100,1000,0,0,0,{rand},{tab}\n"


def kuairand(folder):
    data = folder / "data"
    data.mkdir(parents=True)
    # The README's example: 20220421, 04:16 in China.
    (data / "log_standard_4_08_to_4_21_pure.csv").write_text(LOG + row(3, 1650485801301, 1, 0))
    (data / "log_standard_4_22_to_5_08_pure.csv").write_text(LOG + row(4, 1650571201301, 0, 0, tab=0))
    (data / "log_random_4_22_to_5_08_pure.csv").write_text(LOG + row(3, 1650571202301, 0, 1))
    (data / "user_features_pure.csv").write_text(USERS)
    (data / "video_features_basic_pure.csv").write_text(
        "video_id,author_id,video_type,upload_dt,upload_type,visible_status,video_duration,server_width,server_height,"
        'music_id,music_type,tag\n3,1,NORMAL,2020-07-08,ShortImport,1,17200.0,720,1280,9,4,"12,65"\n'
        "4,1,AD,,ShortImport,1,,720,1280,9,4,\n"
    )
    return folder


def kuairec(folder):
    folder.mkdir()
    head = "user_id,video_id,play_duration,video_duration,time,date,timestamp,watch_ratio\n"
    (folder / "big_matrix.csv").write_text(
        head + "7,3,13838,10867,2020-07-05 00:08:23.438,20200705,1593878903.438,1.2733965215790926\n"
    )
    (folder / "small_matrix.csv").write_text(
        head + "7,4,0,5000,2020-07-05 05:27:48.378,20200705.0,1593898068.378,0.0\n7,3,10,5000,,,,0.002\n"
    )
    (folder / "item_categories.csv").write_text('video_id,feat\n3,"[27, 9]"\n4,[8]\n')
    (folder / "user_features.csv").write_text(USERS)
    return folder


def cleaned_of(overlay, landing, tmp_path, day):
    source = parse_source(yaml.safe_load((TEMPLATE / "demos" / overlay / "sources.yaml").read_text()))
    zone = LandingZone(Home(tmp_path), source, CleaningRules(), landing)
    return source, clean_day(zone.landed_day(day), source, zone.rules, tmp_path / "c.parquet", tmp_path / "a.parquet")


def test_a_row_of_kuairand_is_an_exposure_and_the_random_ones_are_the_answer_sheet(tmp_path):
    landing = tmp_path / "landing"
    land_kuairand(kuairand(tmp_path / "KuaiRand-Pure"), landing)
    source, cleaned = cleaned_of("kuairand", landing, tmp_path, date(2022, 4, 21))
    assert cleaned.set_aside.is_empty()
    columns = ("item_id", "policy", "click", "recommended", "tab", "action_propensity")
    assert cleaned.events.select(columns).rows() == [
        ("4", "standard", 0, 1, "0", None),
        ("3", "random", 0, 1, "1", None),
    ]
    assert source.held_out_policies == ("random",)
    assert "not in the data" in source.about
    _, before = cleaned_of("kuairand", landing, tmp_path, date(2022, 4, 20))
    assert before.events["time"].to_list() == [datetime(2022, 4, 20, 20, 16, 41, 301000, tzinfo=UTC)]


def test_videos_and_users_of_kuairand(tmp_path):
    landing = tmp_path / "landing"
    land_kuairand(kuairand(tmp_path / "k"), landing)
    source, _ = cleaned_of("kuairand", landing, tmp_path, date(2022, 4, 21))
    items = item_snapshot(sorted((landing / "items").iterdir()), source)
    assert items.select("item_id", "category", "published_at", "video_type", "duration_ms").rows() == [
        ("3", "12", date(2020, 7, 8), "NORMAL", 17200.0),
        ("4", None, None, "AD", None),
    ]
    users = user_snapshot(sorted((landing / "users").iterdir()), source)
    assert users.row(0, named=True)["follows"] == "(0,10]"
    assert [c for c in users.columns if "onehot" in c] == []


def test_a_row_of_kuairec_is_a_view_of_its_matrix_and_one_without_a_time_is_counted(tmp_path):
    landing = tmp_path / "landing"
    assert land_kuairec(kuairec(tmp_path / "rec"), landing) == 1
    source, cleaned = cleaned_of("kuairec", landing, tmp_path, date(2020, 7, 4))
    assert cleaned.set_aside.is_empty()
    assert cleaned.events.select("item_id", "policy", "click", "recommended", "video_duration").rows() == [
        ("3", "big_matrix", None, None, 10867.0),
        ("4", "small_matrix", None, None, 5000.0),
    ]
    assert cleaned.events["rating"].round(4).to_list() == [1.2734, 0.0]
    assert cleaned.events["time"][0] == datetime(2020, 7, 4, 16, 8, 23, 438000, tzinfo=UTC)
    items = item_snapshot(sorted((landing / "items").iterdir()), source)
    assert items["category"].to_list() == ["27", "8"]


@pytest.mark.parametrize("overlay", ["kuairand", "kuairec", "movielens", "movielens_users"])
def test_the_settings_of_the_named_sources_are_accepted(overlay):
    def read(name):
        return yaml.safe_load((TEMPLATE / "demos" / overlay / name).read_text())

    source = parse_source(read("sources.yaml"))
    learning = parse_learning(read("learning.yaml"), read("sources.yaml"))
    assert learning_window(source.last_day, learning).enough
    assert {q.outcome for q in Questions.parse(read("questions.yaml")).questions} == set(source.outcomes)
    assert Objective.parse(read("objective.yaml")).margin is None
    assert read("expert_graph.yaml") == {"required": [], "forbidden": []}


def test_what_is_missing_or_wrong_is_named(tmp_path):
    with pytest.raises(InputError, match=r"not laid out like KuaiRand: expected log_standard_\*.csv"):
        land_kuairand(kuairec(tmp_path / "rec"), tmp_path / "landing")
    with pytest.raises(InputError, match=r"not laid out like KuaiRec: expected big_matrix\.csv"):
        land_kuairec(kuairand(tmp_path / "rand"), tmp_path / "landing")
    log = tmp_path / "rand/data/log_standard_4_08_to_4_21_pure.csv"
    log.write_text(LOG + row(3, 1650485801301, 7, 0))
    with pytest.raises(InputError, match=r"4_21_pure\.csv: `is_click` is neither 0 nor 1"):
        land_kuairand(tmp_path / "rand", tmp_path / "landing")
    log.write_text(LOG + row(3, "soon", 1, 0))
    with pytest.raises(InputError, match="row 1: `time_ms` is 'soon', which is not a whole number"):
        land_kuairand(tmp_path / "rand", tmp_path / "landing")
    log.write_text("user_id,video_id\n1,2\n")
    with pytest.raises(InputError, match=r"'time_ms', 'is_click', 'is_rand', 'tab'\] are missing"):
        land_kuairand(tmp_path / "rand", tmp_path / "landing")
    next((tmp_path / "rand/data").glob("log_random*")).unlink()
    with pytest.raises(InputError, match=r"has no log_random_\*.csv"):
        land_kuairand(tmp_path / "rand", tmp_path / "landing")
