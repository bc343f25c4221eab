"""Every dial does to the logs what its name says, against the truth."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from causalrec.simulator.comparison import true_effects
from causalrec.simulator.world.world import Context, World, WorldConfig
from tests.simulator.conftest import SMALL, write
from tests.simulator.test_effects import CONFOUNDED, adjusted, difference

MEDIUM = replace(CONFOUNDED, days=4)


def naive_bias(written):
    return difference(written.events(), "click") - true_effects(written.truth, written.days)["click"]


def logit(p):
    return np.log(p / (1 - p))


def mean_and_error(values):
    return values.mean(), values.std() / np.sqrt(len(values))


# -- confounding and overlap


def test_confounding_is_one_dial_from_an_experiment_to_worse(tmp_path):
    biases = [
        naive_bias(write(replace(MEDIUM, confounding=strength), tmp_path / str(strength)))
        for strength in (0.0, 1.0, 1.6)
    ]
    assert biases[0] == pytest.approx(0.0, abs=0.007)
    assert biases[0] + 0.01 < biases[1] < biases[2]


def test_newness_takes_overlap_away_and_leaves_an_experiment_one(tmp_path):
    plain = write(replace(MEDIUM, confounding=0.0), tmp_path / "plain")
    by_age = write(replace(MEDIUM, confounding=0.0, policy_on_newness=1.0), tmp_path / "by_age")

    def share_recommended_of_newest_and_oldest(written):
        item = written.events()["item_id"].str.slice(5).cast(pl.Int64).to_numpy()
        age, t = written.world.catalogue.age_days[item], written.events()["recommended"].to_numpy()
        low, high = np.quantile(written.world.catalogue.age_days, [0.1, 0.9])
        return t[age < low].mean(), t[age > high].mean()

    assert share_recommended_of_newest_and_oldest(plain) == pytest.approx((0.5, 0.5), abs=0.03)
    newest, oldest = share_recommended_of_newest_and_oldest(by_age)
    assert newest > 0.85
    assert oldest < 0.35
    assert abs(naive_bias(by_age)) < 0.007


# -- effects that differ


def test_the_lift_differs_by_price_device_and_user_as_the_dials_say():
    def lift(user, item, mobile, **dials):
        world = World(replace(SMALL, **dials))
        context = Context(np.array([user]), np.array([9]), np.array([mobile]), np.array([1]))
        rate = np.array([SMALL.prior_rate])
        p1, p0 = (world.probabilities(context, np.array([item]), arm, rate)[0][0] for arm in (1, 0))
        return logit(p1) - logit(p0)

    price = np.log(World(SMALL).catalogue.price) - 3.0
    assert lift(0, 0, 0) == pytest.approx(SMALL.lift)
    assert lift(0, 4, 0, lift_by_price=0.5) == pytest.approx(SMALL.lift + 0.5 * price[4])
    assert lift(0, 0, 1, lift_by_mobile=-0.2) == pytest.approx(SMALL.lift - 0.2)
    responsive = World(replace(SMALL, lift_spread=0.7))
    own = responsive.responsiveness
    category = responsive.catalogue.category
    assert lift(5, 8, 0, lift_spread=0.7) == pytest.approx(SMALL.lift + own[5, category[8]])
    assert own.mean() == pytest.approx(0.0, abs=4 * 0.7 / np.sqrt(own.size))
    assert own.std() == pytest.approx(0.7, rel=0.05)


def test_an_adjusted_estimate_finds_the_mean_effect_where_effects_differ(tmp_path):
    written = write(replace(CONFOUNDED, lift_by_price=-0.4, lift_by_mobile=0.4, lift_spread=0.5), tmp_path)
    estimate, error = adjusted(written, "click")
    assert abs(estimate - true_effects(written.truth, written.days)["click"]) < 3 * error


# -- ratings


@pytest.mark.parametrize("missingness", [0.0, 1.0])
def test_ratings_are_missing_at_random_or_not_as_the_dial_says(missingness, tmp_path):
    known = write(replace(MEDIUM, rating_rate=0.4, rating_missingness=missingness), tmp_path).known()
    clicked = known.filter(pl.col("click") == 1)
    rated = clicked.filter(pl.col("rating").is_not_null())
    assert known.filter(pl.col("click") == 0)["rating"].null_count() == (known["click"] == 0).sum()
    assert rated["rating"].equals(rated["true_rating"].cast(pl.Float64), check_names=False)
    truth = clicked["true_rating"].mean()
    shown, error = mean_and_error(rated["rating"].to_numpy())
    weight = 1 / rated["p_rated"].to_numpy()
    corrected = np.average(rated["rating"].to_numpy(), weights=weight)
    assert corrected == pytest.approx(truth, abs=0.08)
    if missingness:
        assert shown - truth > 6 * error
    else:
        assert abs(shown - truth) < 3 * error
        assert rated.height / clicked.height == pytest.approx(0.4, abs=0.03)


def test_every_pair_has_a_true_rating_that_stays(tmp_path):
    written = write(replace(SMALL, rating_rate=0.4), tmp_path)
    known = written.known()
    user, item = (known[c].str.extract(r"(\d+)").cast(pl.Int64).to_numpy() for c in ("user_id", "item_id"))
    assert written.world.rating(user, item).tolist() == known["true_rating"].to_list()
    everyone, everything = np.arange(SMALL.users)[:, None], np.arange(SMALL.items)[None, :]
    stars = written.world.rating(everyone, everything)
    assert set(np.unique(stars)) == {1, 2, 3, 4, 5}
    assert np.corrcoef(written.world.taste[:, written.world.catalogue.category].ravel(), stars.ravel())[0, 1] > 0.4


# -- cold start and drift


def test_new_items_and_users_are_not_seen_before_their_day_and_are_landed_on_it(tmp_path):
    written = write(replace(SMALL, new_items=0.3, new_users=0.4, cold_start_days=4), tmp_path)
    items = pl.read_parquet(written.landing / "items" / "**" / "*.parquet", hive_partitioning=False)
    users = [
        pl.read_parquet(path, hive_partitioning=False).with_columns(pl.lit(path.parent.name).alias("landed"))
        for path in (written.landing / "users").rglob("*.parquet")
    ]
    assert items.height == SMALL.items
    assert pl.concat(users)["user_id"].n_unique() == SMALL.users
    seen = written.events().join(items.select("item_id", "published_at"), on="item_id")
    assert (seen["timestamp"].dt.date() >= seen["published_at"]).all()
    first = written.days[0]
    assert (items["published_at"] > first).sum() == round(0.3 * SMALL.items)
    new = seen.filter(pl.col("published_at") > first)
    assert new["item_id"].n_unique() == round(0.3 * SMALL.items)
    late = pl.concat(users).filter(pl.col("landed") == f"day={written.days[2]}")["user_id"]
    assert late.len() > 0
    assert not written.events(*written.days[:2])["user_id"].is_in(late.implode()).any()
    assert written.events(*written.days[2:])["user_id"].is_in(late.implode()).any()


def test_one_more_day_leaves_the_catalogue_of_a_shop_with_new_items_as_it_is():
    short = World(replace(SMALL, new_items=0.3)).catalogue
    assert (short.age_days == World(replace(SMALL, new_items=0.3, days=20)).catalogue.age_days).all()


def test_tastes_and_qualities_turn_by_the_dial_and_keep_their_spread():
    world = World(WorldConfig(items=4000, taste_drift=0.1, quality_drift=0.05))
    early, late = world.on(2), world.on(10)
    assert np.corrcoef(early.taste.ravel(), late.taste.ravel())[0, 1] == pytest.approx(np.cos(0.8), abs=0.02)
    assert np.corrcoef(early.click, late.click)[0, 1] < np.corrcoef(early.click, world.on(3).click)[0, 1]
    assert late.taste.std() == pytest.approx(early.taste.std(), rel=0.02)
    assert late.click.std() == pytest.approx(early.click.std(), rel=0.1)


# -- campaigns and experiments


def test_a_campaign_cuts_the_price_of_items_drawn_at_random_and_its_effect_is_the_truths(tmp_path):
    written = write(replace(MEDIUM, campaign_share=0.4, campaign_discount=0.25, campaign_boost=0.5), tmp_path)
    known = written.known().with_columns(pl.col("timestamp").dt.date().alias("day"))
    landed = pl.read_parquet(written.landing / "campaigns" / "campaigns.parquet")
    asked = known.join(landed, on="item_id", how="left").with_columns(
        pl.col("day").is_between("starts_on", "ends_on").fill_null(False).alias("on")
    )
    assert (asked["campaign_id"].is_not_null() == asked["on"]).all()
    assert set(known.filter(pl.col("campaign_id").is_not_null())["day"]) == set(written.days[1:4])
    listed = pl.read_parquet(written.landing / "items" / "items.parquet").select("item_id", listed="price")
    off = known.join(listed, on="item_id").filter(pl.col("campaign_id").is_not_null())
    assert (off["price"] / off["listed"]).to_numpy() == pytest.approx(0.75, abs=0.005)

    taken = pl.when(pl.col("recommended") == 1).then("p_click_1").otherwise("p_click_0")
    known = known.with_columns((taken - pl.col("p_click_without_campaign")).alias("effect"))
    outside = known.filter(pl.col("campaign_id").is_null())
    np.testing.assert_allclose(outside["effect"], 0.0, atol=1e-12)
    c = written.world.config
    inside = known.filter(pl.col("campaign_id").is_not_null()).select(taken.alias("p"), "p_click_without_campaign")
    change = logit(inside["p"].to_numpy()) - logit(inside["p_click_without_campaign"].to_numpy())
    assert change == pytest.approx(c.campaign_boost - c.price_effect * np.log(0.75), abs=0.01)


def test_the_variant_changes_the_click_by_the_dial_and_users_differ_in_nothing_else(tmp_path):
    written = write(replace(CONFOUNDED, experiment_share=0.5, experiment_lift=0.4), tmp_path)
    known = written.known()
    control, treatment = (known[f"p_click_{v}"].to_numpy() for v in ("control", "treatment"))
    np.testing.assert_allclose(logit(treatment) - logit(control), 0.4)
    taken = np.where(known["recommended"] == 1, known["p_click_1"], known["p_click_0"])
    np.testing.assert_allclose(taken, np.where(known["variant"] == "treatment", treatment, control))
    by_user = known.group_by("user_id").agg(pl.col("click").sum(), pl.len(), pl.col("variant").unique())
    assert by_user["variant"].list.len().unique().to_list() == [1]
    arms = [by_user.filter(pl.col("variant").list.first() == v) for v in ("treatment", "control")]
    rates = [a["click"].sum() / a["len"].sum() for a in arms]
    errors = [
        np.sqrt(((a["click"] - r * a["len"]) ** 2).sum()) / a["len"].sum() for a, r in zip(arms, rates, strict=True)
    ]
    assert abs(rates[0] - rates[1] - (treatment - control).mean()) < 3 * np.hypot(*errors)


def test_the_variant_is_a_hash_of_the_id_that_anybody_can_compute(tmp_path):
    events = write(replace(SMALL, experiment_share=0.3), tmp_path).events().unique("user_id")

    def variant(user):
        digest = hashlib.sha256(f"experiment-1:{user}".encode()).digest()
        return "treatment" if int.from_bytes(digest[:8], "big") / 2**64 < 0.3 else "control"

    assert events["variant"].to_list() == [variant(user) for user in events["user_id"]]
    assert events["experiment_id"].unique().to_list() == ["experiment-1"]
    assert (events["variant"] == "treatment").mean() == pytest.approx(0.3, abs=0.12)
