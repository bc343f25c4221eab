"""A simulated shop's logs as the report reads them, and two policies' true values beside them.

Nothing but logged columns enters the rows: a logistic model of logged rates, price, hour, device and arm is fitted on
the training days, both policies are made from it, and rates of being met are counted on the training days. The truth is
computed from the world alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from benchmarks.verdict.side_by_side import in_slots
from causalrec.arrays import Floats, Ints
from causalrec.evaluation.estimands import Logs
from causalrec.evaluation.rounds import EvaluationData
from causalrec.evaluation.values.question import LOGGING_POLICY
from causalrec.policy.grid import Scored
from causalrec.policy.organic.left_out import logged_in_slots, whole_slates, with_left_out
from causalrec.policy.organic.rates import MetCounts, MetRates
from causalrec.policy.organic.rows import organic_rows, slot_numbers
from causalrec.policy.plackett_luce import first_slot
from causalrec.policy.policies import CHALLENGER, CHAMPION
from causalrec.policy.policies.judged import evaluate_slots
from causalrec.policy.slots import judged_slots
from causalrec.settings.objective import Objective
from causalrec.simulator.landing import items_frame
from causalrec.simulator.traffic.displacement import expected_clicks
from causalrec.simulator.traffic.named_values import GIVEN_MET, NAMES, RAW, values_of_policies
from causalrec.simulator.traffic.slates import Slates
from causalrec.simulator.traffic.traffic import add_day, draw_day
from causalrec.simulator.world.day import Drawn
from causalrec.simulator.world.frames import events_frame
from causalrec.simulator.world.past import Past
from causalrec.simulator.world.world import World, WorldConfig, sigmoid

WARM, TRAIN, JUDGED = 7, 7, 7
SHOP = WorldConfig(users=1000, items=200, events_per_day=6000)
TRUTH_EVERY = 10
"""Raw and given met are true over all judged slots; by how much the others differ from raw, over each tenth request."""
OBJECTIVE = Objective.parse({"satisfying": "click", "form": "do"})
TEMPERATURE, EXPLORATION = 0.5, 0.1
"""Of both policies."""


@dataclass(frozen=True)
class LoggedDay:
    """A day: what was logged, what the logs said before it, and what only the simulator knows."""

    units: pl.DataFrame
    user_rate: Floats
    item_rate: Floats
    price: Floats
    slates: Slates | None
    drawn: Drawn


@dataclass(frozen=True)
class Judgement:
    """What the report reads of one world, and the truth.

    Attributes:
        truth: By policy and name.
        must_be: By policy, the bias that given met must have with the fitted model and the counted rates of being met.
    """

    data: EvaluationData
    truth: dict[str, dict[str, float]]
    must_be: dict[str, float]


@dataclass(frozen=True)
class Logistic:
    """P(click) from logged columns, (width,) coefficients; the first is the intercept."""

    weight: Floats

    @classmethod
    def fit(cls, x: Floats, y: Floats, penalty: float = 1.0) -> Logistic:
        """By Newton's method, with a ridge of `penalty` on the coefficients."""
        weight, ridge = np.zeros(x.shape[1]), penalty * np.eye(x.shape[1])
        ridge[0, 0] = 0.0
        for _ in range(12):
            p = sigmoid(x @ weight)
            step = np.linalg.solve((x * (p * (1 - p))[:, None]).T @ x + ridge, x.T @ (y - p) - ridge @ weight)
            weight = weight + step
            if np.abs(step).max() < 1e-8:
                break
        return cls(weight)


@dataclass(frozen=True)
class OfModel:
    """A policy that ranks by what a model expects."""

    name: str
    by_effect: bool
    temperature: float = TEMPERATURE
    label: str = "of the benchmark"
    fitted: bool = True

    def probabilities(self, part: Scored) -> Floats:
        """(contexts, items), rows sum to 1."""
        if part.click_if_not is None:
            raise ValueError("the model has no other arm")
        return self.of(part.click, part.click_if_not)

    def of(self, click: Floats, click_if_not: Floats) -> Floats:
        """The same of two arrays."""
        value = np.maximum(click - click_if_not, 1e-3) if self.by_effect else click_if_not
        return first_slot(np.log(value), np.ones(value.shape, dtype=np.bool_), self.temperature, EXPLORATION)


Policies = tuple[OfModel, OfModel]


def two_policies(temperature: float = TEMPERATURE) -> Policies:
    """The challenger shows what is clicked anyway, the champion what a recommendation changes."""
    return OfModel(CHALLENGER, False, temperature), OfModel(CHAMPION, True, temperature)


def judgement(config: WorldConfig, seed: int = 0, temperature: float = TEMPERATURE, measured: bool = True) -> Judgement:
    """One world, judged.

    Args:
        seed: Of the draws of the truth.
        measured: Whether users' past click rates are logged. If not, nobody who reads the logs knows of them.
    """
    policies = two_policies(temperature)
    world = World(config)
    days = _logged_days(world, measured)
    train, judged = days[WARM : WARM + TRAIN], days[WARM + TRAIN :]
    rows = [_rows(world, day) for day in train]
    model = Logistic.fit(np.concatenate([x for x, _ in rows]), np.concatenate([y for _, y in rows]))
    catalogue = items_frame(world)
    met = MetCounts.of((day.units, catalogue) for day in train)
    targets = pl.concat([_targets(world, day, (model, policies), met, catalogue) for day in judged])
    units = pl.concat([day.units for day in (*train, *judged)])
    data = EvaluationData(
        units=units,
        targets=targets,
        propensities=units.drop_nulls("action_propensity").select("unit_id", "action_propensity"),
        satisfying="click",
        margin=None,
        cluster="user_id",
        held_out=[],
        report_by=[],
        unseen_days=[day.units["day"][0] for day in judged],
        logs=Logs("every_impression", True),
    )
    parts = [_truth(world, day, (model, policies), seed + number) for number, day in enumerate(judged)]
    names = (*(policy.name for policy in policies), LOGGING_POLICY)
    truth = {who: {n: float(np.mean([part[who][n] for part in parts])) for n in NAMES} for who in names}
    rates = met.rates(catalogue)
    off = [_must_be(world, day, (model, policies), rates) for day in judged]
    return Judgement(data, truth, {who: float(np.mean([part[who] for part in off])) for who in names})


def _logged_days(world: World, measured: bool) -> list[LoggedDay]:
    past, days = Past(world), []
    for number in range(WARM + TRAIN + JUDGED):
        drawn = draw_day(world, past, number)
        slates = Slates.of(world, drawn, past) if number >= WARM + TRAIN else None
        units = _units(world, drawn)
        rate = past.user_category_rate
        user_rate = rate if measured else np.full(rate.shape, world.config.prior_rate)
        days.append(LoggedDay(units, user_rate, past.item_rate, drawn.today.price, slates, drawn))
        add_day(past, drawn)
    return days


def _units(world: World, drawn: Drawn) -> pl.DataFrame:
    """The day's events with the columns of `units` that are read."""
    return events_frame(world, drawn).select(
        pl.col("event_id").alias("unit_id"),
        pl.col("timestamp").alias("time"),
        pl.col("timestamp").dt.date().alias("day"),
        pl.col("timestamp").dt.hour().cast(pl.Int64).alias("hour"),
        pl.col("position").cast(pl.Int64),
        pl.col("recommended").cast(pl.Int8),
        "user_id", "item_id", "request_id", "policy", "action_propensity", "first_slot_propensity", "click", "purchase",
        "revenue", "price", "device",
    )  # fmt: skip


def _features(
    log_user: Floats, log_item: Floats, log_price: Floats, about: tuple[Floats, Floats], arm: tuple[Floats, Floats]
) -> Floats:
    """One row a pair: logged rates, price, evening, mobile; and the same where the item is recommended.

    Args:
        about: Evening and mobile.
        arm: Whether it is recommended, and slots above it.
    """
    evening, mobile = about
    shown, above = arm
    columns = [
        np.ones_like(log_user), log_user, log_item, log_price, evening, mobile, log_user**2, log_item**2, shown,
        shown * log_user, shown * log_item, shown * log_price, shown * above, shown * mobile,
    ]  # fmt: skip
    return np.stack(np.broadcast_arrays(*columns), axis=-1)


def _rows(world: World, day: LoggedDay) -> tuple[Floats, Floats]:
    """Of each logged row its features and whether it was clicked."""
    c, drawn = world.config, day.drawn
    user, item = drawn.user, drawn.item
    of_request = np.repeat(np.arange(len(drawn.requests.user)), drawn.shown)
    hour = drawn.requests.second[of_request] // 3600
    mobile: Floats = drawn.requests.mobile[of_request].astype(np.float64)
    x = _features(
        np.log(day.user_rate[user, world.catalogue.category[item]] / c.prior_rate),
        np.log(day.item_rate[item] / c.prior_rate),
        np.log(day.price[item]) - 3.0,
        (_evening(hour), mobile),
        (drawn.recommended.astype(np.float64), (drawn.position - 1).astype(np.float64)),
    )
    return x[drawn.present], drawn.click[drawn.present].astype(float)


def _grid(world: World, day: LoggedDay, model: Logistic, user: Ints, hour: Ints, mobile: Ints) -> tuple[Floats, Floats]:
    """P(click) of every item, recommended (in the middle slot) and not, (contexts, items) each."""
    c = world.config
    log_user = np.log(day.user_rate[user][:, world.catalogue.category] / c.prior_rate)
    log_item = np.log(day.item_rate / c.prior_rate)[None, :]
    log_price = (np.log(day.price) - 3.0)[None, :]
    evening, on_mobile = _evening(hour)[:, None], mobile.astype(float)[:, None]
    weight, middle = model.weight, (c.slate - 1) / 2
    not_recommended = weight[0] + weight[1] * log_user + weight[2] * log_item + weight[3] * log_price
    not_recommended = not_recommended + weight[4] * evening + weight[5] * on_mobile
    not_recommended = not_recommended + weight[6] * log_user**2 + weight[7] * log_item**2
    lift = weight[8] + weight[9] * log_user + weight[10] * log_item + weight[11] * log_price
    lift = lift + weight[12] * middle + weight[13] * on_mobile
    return sigmoid(not_recommended + lift), sigmoid(not_recommended)


def _evening(hour: Ints) -> Floats:
    return ((hour >= 18) & (hour <= 22)).astype(np.float64)


def _targets(
    world: World,
    day: LoggedDay,
    of: tuple[Logistic, Policies],
    met: MetCounts,
    catalogue: pl.DataFrame,
) -> pl.DataFrame:
    """The rows of `target_policy` of one day."""
    model, policies = of
    slots = judged_slots(day.units, catalogue, ["device"], [])
    asked = slots.contexts
    user = asked["user_id"].str.extract(r"-(\d+)$").cast(pl.Int64).to_numpy()
    hour, mobile = (
        asked["time"].dt.hour().to_numpy().astype(np.int64),
        (asked["device"] == "mobile").to_numpy().astype(np.int64),
    )
    click, click_if_not = _grid(world, day, model, user, hour, mobile)
    part = Scored(slice(0, asked.height), np.ones(click.shape, dtype=np.bool_), click, None, None, click_if_not)
    organic = organic_rows(day.units, catalogue, slots).with_met(met.rates(catalogue), slot_numbers(slots))
    organic = with_left_out(organic, slots, logged_in_slots(day.units, slots, organic), whole_slates(day.units, slots))
    return evaluate_slots(slots, [part], policies, OBJECTIVE, organic)


def _truth(world: World, day: LoggedDay, of: tuple[Logistic, Policies], seed: int) -> dict[str, dict[str, float]]:
    """The true values of both policies and of the logging one in the judged slots of a day, by policy and name."""
    whole = day.slates
    if whole is None:
        raise ValueError("the day is not judged")
    some = whole.every(TRUTH_EVERY)
    (exact, drawn) = (
        values_of_policies(slates, _probabilities(world, day, of, slates), "click", seed, names)
        for slates, names in ((whole, (RAW, GIVEN_MET)), (some, NAMES))
    )
    truth = {}
    for policy, values in exact.items():
        of_some = drawn[policy]
        truth[policy] = {name: values.value(RAW) + of_some.value(name) - of_some.value(RAW) for name in NAMES}
        truth[policy] |= {name: values.value(name) for name in (RAW, GIVEN_MET)}
    return truth


def _must_be(world: World, day: LoggedDay, of: tuple[Logistic, Policies], rates: MetRates) -> dict[str, float]:
    """By policy, by how much given met is off on average over what people meet and do, on each tenth request.

    What would happen anyway is off by sum_a pi(a | x) (P(a is met | x) / m(a) - 1) (E[Y | x, a, met] - q0(x, a)), for
    rates m and a model q0 as they are: by nothing where either is right. The outcome's expectation is the world's own,
    so all that makes people meet and click is in it, logged or not.
    """
    if day.slates is None:
        raise ValueError("the day is not judged")
    slates = day.slates.every(TRUTH_EVERY)
    chance = slates.browsed_as_logged + slates.comes_for
    np.put_along_axis(chance, slates.slate, 0.0, axis=1)
    left = expected_clicks(slates.slate_click(slates.slate), world.config)[1]
    _, model = _grid(world, day, of[0], slates.user, slates.hour, slates.mobile)
    unexplained = slates.organic_click * left[:, None] - model
    items = np.arange(world.config.items)
    counted = np.stack([rates.below(items, np.full(len(items), slot + 1)) for slot in range(world.config.slate)])
    surplus = (chance[:, None, :] / counted[None] - 1.0) * unexplained[:, None, :]
    return {who: -float((p * surplus).sum(axis=2).mean()) for who, p in _probabilities(world, day, of, slates).items()}


def _probabilities(world: World, day: LoggedDay, of: tuple[Logistic, Policies], slates: Slates) -> dict[str, Floats]:
    model, policies = of
    click, click_if_not = _grid(world, day, model, slates.user, slates.hour, slates.mobile)
    fitted = {policy.name: in_slots(policy.of(click, click_if_not), slates) for policy in policies}
    return {**fitted, LOGGING_POLICY: in_slots(slates.first_slot, slates)}
