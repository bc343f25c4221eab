"""One simulated world: the outcome model that its logs train, a policy of each form of the objective, and their truth.

The model is fitted by the pipeline's own code from logged columns alone: cross-fitted treatment propensities, the
network of both arms, the rest of the request. The truth is computed from the world.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import yaml

from benchmarks.verdict.side_by_side import in_slots
from causalrec.arrays import Floats
from causalrec.embeddings.encoder import PACKAGED, load_encoder
from causalrec.embeddings.item_text import encode_items
from causalrec.embeddings.item_vectors import ItemVectors
from causalrec.home import TEMPLATE
from causalrec.logs.clusters import cluster_codes
from causalrec.logs.units.covariates import AsOf, as_of_covariates
from causalrec.logs.units.user_category_rates import Tastes
from causalrec.model.effects.propensities import treatment_propensities
from causalrec.model.outcome.model import OutcomeModel
from causalrec.model.outcome.own_organic import fit_own_organic
from causalrec.model.outcome.own_organic_rows import ItemsNotShown, own_organic_rows
from causalrec.model.outcome.plan import TrainingPlan
from causalrec.model.outcome.rest import fit_rest
from causalrec.model.outcome.rest_rows import InTheirPlaces, rest_of_requests, rest_rows
from causalrec.model.outcome.training import lift_of, train_outcome_model
from causalrec.policy.grid import Scored, score_grid
from causalrec.policy.plackett_luce import first_slot
from causalrec.policy.policies import CHALLENGER
from causalrec.policy.policies.fitted import FittedPolicy
from causalrec.policy.policies.temperature import temperature_of, with_temperature
from causalrec.settings.logs.sources import Source, parse_source
from causalrec.settings.model import ModelSettings
from causalrec.settings.objective import DO, EFFECT_GIVEN_MET, TOTAL, Form, Objective
from causalrec.settings.policy import PolicyConfig
from causalrec.simulator.landing import items_frame
from causalrec.simulator.traffic.named_values import NAMES, values_of_policies
from causalrec.simulator.traffic.slates import Slates
from causalrec.simulator.traffic.traffic import add_day, draw_day
from causalrec.simulator.world.frames import events_frame
from causalrec.simulator.world.past import Past
from causalrec.simulator.world.world import World, WorldConfig, user_id

WARM = 7
"""Days that pass before those that are learned from; one day after them is judged."""
COLUMNS = ("item_click_rate", "price", "user_category_click_rate")
"""The adjustment set of the simulated shop, as its graph gives it."""
FORMS: tuple[Form, ...] = (DO, TOTAL, EFFECT_GIVEN_MET)
TWO_ARMS = "effect of two arms"
"""The effect as the plain difference of the network's two arms, without a shrunk lift."""
LOGGING, TRUE_DO, TRUE_EFFECT = "the logging policy", "do, by true probabilities", "effect, by true probabilities"
TEMPERATURE_DAYS = 3
TEMPERATURE_CONTEXTS = 100
"""Of each of the newest training days, as in the pipeline."""


@dataclass(frozen=True)
class Day:
    """A day as the pipeline has it in the morning, and its units."""

    units: pl.DataFrame
    catalogue: pl.DataFrame
    state: AsOf
    slates: Slates | None


@dataclass(frozen=True)
class Learned:
    """What the logs of a world teach."""

    model: OutcomeModel
    vectors: ItemVectors
    source: Source
    days: list[Day]
    judged: Day


@dataclass(frozen=True)
class Judged:
    """Policies of one world.

    Attributes:
        truth: Of each policy its true values by name, outcomes a slot.
        entropy: Of its first slot in the judged requests, in nats.
        temperature: In the units of its form.
    """

    truth: Mapping[str, Mapping[str, float]]
    entropy: Mapping[str, float]
    temperature: Mapping[str, float]


@cache
def simulated() -> tuple[Source, ModelSettings, PolicyConfig]:
    """Settings of the simulated demo."""

    def stated(file: str) -> dict[str, Any]:
        demo = TEMPLATE / "demos" / "simulated" / file
        return dict(yaml.safe_load((demo if demo.exists() else TEMPLATE / file).read_text()))

    source = parse_source(stated("sources.yaml"))
    return source, ModelSettings.parse(stated("model.yaml")), PolicyConfig.parse(stated("policy.yaml"))


def logged_days(world: World, train: int) -> list[Day]:
    """The training days, and the judged one after them."""
    past, days, source = Past(world), [], simulated()[0]
    for number in range(WARM + train + 1):
        drawn = draw_day(world, past, number)
        if number >= WARM:
            listed = items_frame(world).with_columns(price=pl.Series(drawn.today.price))
            state = _state(world, past, number)
            rows = events_frame(world, drawn).rename({"event_id": "unit_id", "timestamp": "time"})
            rows = rows.with_columns(
                day=pl.col("time").dt.date(),
                position=pl.col("position").cast(pl.Int64),
                recommended=pl.col("recommended").cast(pl.Int8),
            )
            slates = Slates.of(world, drawn, past) if number == WARM + train else None
            days.append(Day(as_of_covariates(rows, state, listed, source), listed, state, slates))
        add_day(past, drawn)
    return days


def _state(world: World, past: Past, number: int) -> AsOf:
    """The past click rates, which are all that is read of the history."""
    c, shop = world.config, world.catalogue
    users = pl.DataFrame({"user_id": [user_id(k) for k in range(c.users)]})
    rates = past.item_rate
    items = pl.DataFrame({"item_id": shop.item_id, "item_click_rate": rates}).with_columns(priced=0, price_sum=0)
    pairs = pl.DataFrame(
        {
            "user_id": np.repeat(users["user_id"].to_numpy(), len(shop.categories)),
            "category": np.tile(np.array(shop.categories), c.users),
            "rate": past.user_category_rate.ravel(),
        }
    )
    never = {"user_category_click_rate": c.prior_rate, "item_click_rate": c.prior_rate}
    return AsOf(c.first_day + timedelta(days=number), users, items, Tastes.of(pairs), dict(never))


def learn(config: WorldConfig, train: int) -> Learned:
    """Train the outcome model on some days of a world.

    Args:
        train: Days.
    """
    source, settings, _ = simulated()
    *days, judged = logged_days(World(config), train)
    units = pl.concat([day.units for day in days])
    encoder = load_encoder(PACKAGED, "", False, 64)
    vectors = ItemVectors.from_frame(encode_items(judged.catalogue, None, encoder).frame)
    clusters = cluster_codes(units, "user_id")
    propensity = treatment_propensities(units, "recommended", COLUMNS, clusters, settings, config.seed).propensity
    plan = TrainingPlan("both", units, COLUMNS, propensity, True)
    trained = train_outcome_model(plan, vectors, settings, config.seed, {"accelerator": "cpu", "devices": 1}).model
    places = InTheirPlaces(source, trained, vectors)
    not_shown = ItemsNotShown(source, [], places.features)
    shown, pairs = [], []
    for number, day in enumerate(days):
        slots = rest_of_requests(day.units, True)
        shown.append(places.of_day(slots, day.catalogue, day.state, [config.seed, number]))
        pairs.append(not_shown.of_day(day.units, day.catalogue, day.state, [config.seed, number, 1]))
    rows, others = rest_rows(shown, "user_id"), own_organic_rows(pairs, "user_id")
    if rows is None or others is None:
        raise ValueError("no whole request is logged")
    own = fit_own_organic(others, len(trained.heads), config.seed)
    rest = fit_rest(rows, settings.folds, config.seed, settings.weight_quantile, own)
    lift = lift_of(plan, trained, vectors, clusters, settings, config.seed)
    model = replace(trained, rest=rest, lift=lift)
    return Learned(model, vectors, source, days, judged)


def scored(learned: Learned, day: Day, contexts: pl.DataFrame) -> list[Scored]:
    """Contexts of a day against its catalogue."""
    return list(
        score_grid(contexts, day.catalogue, day.state, learned.source, learned.model, learned.vectors, match=())
    )


def judge(learned: Learned, seed: int) -> Judged:
    """A policy of each form, beside the logging one and two by true probabilities; all but the former as sure.

    Args:
        seed: Of the draws of the truth, and of the contexts on which temperatures are found.
    """
    slates, config = learned.judged.slates, simulated()[2]
    if slates is None:
        raise ValueError("the day is not judged")
    rng, training = np.random.default_rng([seed, 3]), []
    for day in learned.days[-TEMPERATURE_DAYS:]:
        asked = _contexts(day.units)
        few = np.sort(rng.permutation(asked.height)[:TEMPERATURE_CONTEXTS])
        training += scored(learned, day, asked[few])
    requests = _contexts(learned.judged.units)[slates.request]
    parts = scored(learned, learned.judged, requests)
    first: dict[str, Floats] = {LOGGING: slates.first_slot}
    temperature: dict[str, float] = {}
    by_arms = [[part.by_arms for part in some] for some in (training, parts)]
    for name in (*FORMS, TWO_ARMS):
        form = EFFECT_GIVEN_MET if name == TWO_ARMS else name
        objective = Objective.parse({"satisfying": "click", "form": form})
        known, asked_for = by_arms if name == TWO_ARMS else (training, parts)
        dials = with_temperature(config, objective, known)
        policy = FittedPolicy(CHALLENGER, dials, objective)
        first[name] = np.concatenate([policy.probabilities(part) for part in asked_for])
        temperature[name] = dials.solved
    click = slates.shown_click((slates.slate.shape[1] - 1) // 2)
    aim = _entropy(first[DO])
    for name, value in ((TRUE_DO, np.log(click)), (TRUE_EFFECT, click - slates.organic_click)):
        may = np.ones(value.shape, dtype=np.bool_)
        temperature[name] = temperature_of(aim, [value], [may], config.exploration)
        first[name] = first_slot(value, may, temperature[name], config.exploration)
    values = values_of_policies(slates, {name: in_slots(p, slates) for name, p in first.items()}, "click", seed)
    truth = {policy: {name: of.value(name) for name in NAMES} for policy, of in values.items()}
    return Judged(truth, {policy: _entropy(p) for policy, p in first.items()}, temperature)


def _contexts(units: pl.DataFrame) -> pl.DataFrame:
    """Each request of a day once, in the order of its rows."""
    return units.unique("request_id", keep="first", maintain_order=True).select("time", "user_id", "device")


def _entropy(p: Floats) -> float:
    return float(-(p * np.log(np.where(p > 0, p, 1.0))).sum(axis=1).mean())
