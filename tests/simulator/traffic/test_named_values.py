"""The named values are those of drawing everything, and hold the laws that tie them together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from causalrec.simulator.traffic.going_anyway import draw_came_for
from causalrec.simulator.traffic.named_values import named_values, what_recommending_adds
from causalrec.simulator.traffic.sampling import draw_organic
from causalrec.simulator.traffic.slates import Slates
from causalrec.simulator.traffic.traffic import add_day, draw_day
from causalrec.simulator.world.past import Past
from causalrec.simulator.world.world import World, WorldConfig

TINY = WorldConfig(users=30, items=14, slate=3, organic=3, events_per_day=1200, base_click=-0.8, seed=5)
DIALS = {
    "plain": {},
    "displacement": {"displacement_organic": 0.6, "displacement_slots": 0.5},
    "go_anyway": {"go_anyway": 0.8, "go_anyway_focus": 2.0},
    "all": {
        "displacement_organic": 0.6,
        "displacement_slots": 0.5,
        "go_anyway": 0.6,
        "lift_by_history": -0.5,
        "holdout_share": 0.2,
        "confounding": 2.0,
    },
}
NAMES = ("raw", "given_met", "given_not_shown", "own_and_organic", "total")


def judged(days=3, keep=None, **dials):
    """The slates of the last of some days, and that day as it was drawn."""
    world = World(replace(TINY, **dials))
    past = Past(world)
    for number in range(days):
        drawn = draw_day(world, past, number)
        if number == days - 1:
            chosen = None if keep is None else np.isin(np.arange(len(drawn.requests.user)), keep)
            return Slates.of(world, drawn, past, chosen), drawn
        add_day(past, drawn)
    raise AssertionError


def in_slots(first, slates):
    """A Plackett-Luce policy in the logged slots: its first-slot probabilities without what stands above."""
    out = np.repeat(first[:, None, :], slates.slate.shape[1], axis=1)
    for slot in range(1, slates.slate.shape[1]):
        np.put_along_axis(out[:, slot], slates.slate[:, :slot], 0.0, axis=1)
    return out / out.sum(axis=2, keepdims=True)


def click_anyway(slates, power=3.0):
    weight = slates.organic_click**power
    return in_slots(weight / weight.sum(axis=1, keepdims=True), slates)


def uniform(slates):
    return in_slots(np.full(slates.first_slot.shape, 1 / slates.first_slot.shape[1]), slates)


# -- by drawing everything


class Drawing:
    """One request again and again, everything drawn: the values by their definition."""

    def __init__(self, slates, slot, rows, seed):
        self.slates, self.slot, self.rows = slates, slot, rows
        self.rng = np.random.default_rng(seed)
        self.c, self.items = slates.world.config, slates.world.config.items
        self.above = np.repeat(slates.slate[:, :slot], rows, axis=0)

    def outcomes(self, pi, worth):
        """Per row: the slot's outcome, the other slots', the organic ones, and the item's where it is not shown."""
        item = self.rng.choice(self.items, size=(self.rows, 1), p=pi)
        own, others, organic, _ = self._request(np.concatenate([self.above, item], axis=1), worth, item)
        *_, unshown = self._request(self.above, worth, item)
        return own, others, organic, unshown

    def _request(self, top, worth, item):
        slate = self._filled(top, np.concatenate([top, item], axis=1))
        p1 = np.stack([self.slates.shown_click(k)[0] for k in range(self.c.slate)])
        u = self.rng.random((self.rows, self.c.slate + self.c.organic))
        organic, met = self._organic(slate)
        p = np.concatenate([p1[np.arange(self.c.slate), slate], self.slates.organic_click[0][organic]], axis=1)
        click = u < p
        click[:, self.c.slate :] &= met
        for k in range(self.c.slate + self.c.organic):
            kind = self.c.displacement_slots if k < self.c.slate else self.c.displacement_organic
            for above in range(min(k, self.c.slate)):
                click[:, k] &= ~(click[:, above] & (self.rng.random(self.rows) < kind))
        value = click * np.concatenate([worth[0][0][slate], worth[1][0][organic]], axis=1)
        of_item = (value[:, self.c.slate :] * (organic == item)).sum(axis=1)
        slots = value[:, : self.c.slate].sum(axis=1)
        own = value[:, self.slot]
        return own, slots - own, value[:, self.c.slate :].sum(axis=1), of_item

    def _filled(self, top, excluded):
        key = np.log(self.slates.first_slot[0])[None] + self.rng.gumbel(size=(self.rows, self.items))
        np.put_along_axis(key, excluded, -np.inf, axis=1)
        return np.concatenate([top, np.argsort(-key, axis=1)[:, : self.c.slate - top.shape[1]]], axis=1)

    def _organic(self, slate):
        s, world = self.slates, self.slates.world
        organic = draw_organic(s.browse, slate, self.c.organic, self.rng)
        came = np.flatnonzero(self.rng.random(self.rows) < self.c.go_anyway)
        rate = np.repeat(s.user_category_rate, len(came), axis=0)
        args = (world.catalogue.category, s.item_rate, s.today.age_days, self.c, self.rng)
        organic[came] = draw_came_for(rate, *args)
        return organic, ~(organic[:, :, None] == slate[:, None, :]).any(axis=2)


@pytest.mark.parametrize("dials", DIALS)
@pytest.mark.parametrize(("slot", "outcome"), [(0, "click"), (1, "revenue"), (2, "click")])
def test_the_values_are_those_of_drawing_everything(dials, slot, outcome):
    slates, _ = judged(keep=[4, 5, 6, 7], **DIALS[dials])
    slates = replace(
        slates,
        **{k: getattr(slates, k)[:1] for k in ("request", "user", "hour", "mobile", "slate")},
        user_category_rate=slates.user_category_rate[:1],
    )
    pi = click_anyway(slates)
    repeated = [named_values(slates, pi, outcome, seed) for seed in range(60)]
    worth, rows = slates.worth(outcome), 60_000
    own, others, organic, unshown = Drawing(slates, slot, rows, 3).outcomes(pi[0, slot], worth)
    drawn = {
        "raw": own,
        "given_not_shown": own - unshown,
        "own_and_organic": own + organic,
        "total": own + others + organic,
    }
    for name, values in drawn.items():
        true = np.concatenate([one.draws[name][:, 0, slot] for one in repeated])
        error = np.hypot(values.std() / np.sqrt(rows), true.std() / np.sqrt(len(true)))
        assert abs(values.mean() - true.mean()) < 4 * error, name


@pytest.mark.parametrize("dials", DIALS)
def test_the_logging_policys_own_total_is_what_its_logs_say(dials):
    differences, values = [], []
    for seed in range(12):
        slates, drawn = judged(seed=seed, events_per_day=3000, **DIALS[dials])
        clicks = drawn.click.reshape(-1, drawn.shown)[slates.request].sum(axis=1)
        truth = named_values(slates, in_slots(slates.first_slot, slates))
        differences.append(clicks.mean() - truth.value("total"))
        values.append(truth.error("total"))
    error = np.std(differences, ddof=1) / np.sqrt(len(differences))
    assert abs(np.mean(differences)) < 4 * error
    assert np.mean(values) < 0.2 * np.std(differences)


@pytest.mark.parametrize("dials", DIALS)
def test_what_recommending_adds_is_what_a_holdout_says(dials):
    gaps = []
    for seed in range(30):
        slates, drawn = judged(**{**DIALS[dials], "seed": seed, "events_per_day": 3000, "holdout_share": 0.5})
        clicks = drawn.click.reshape(-1, drawn.shown).sum(axis=1)
        held = clicks[drawn.without_slate].mean()
        gaps.append(clicks[~drawn.without_slate].mean() - held - what_recommending_adds(slates).mean())
    assert abs(np.mean(gaps)) < 4 * np.std(gaps, ddof=1) / np.sqrt(len(gaps))


# -- laws


def test_without_displacement_and_organic_rows_the_difference_of_totals_is_that_of_raw_and_of_what_stands_below():
    """An item that the slot shows cannot stand below: nothing else ties the slots together."""
    slates, _ = judged(lift=30.0, base_click=-30.0, position_decay=0.0)  # organic rows are never clicked
    first, second = click_anyway(slates), uniform(slates)
    gap = named_values(slates, first) - named_values(slates, second)
    np.testing.assert_allclose(gap.draws["own_and_organic"], gap.draws["raw"], atol=1e-9)
    last = gap.draws["total"][:, :, -1] - gap.draws["raw"][:, :, -1]
    np.testing.assert_allclose(last, 0.0, atol=1e-9)


def test_given_not_shown_lies_between_given_met_and_raw():
    slates, _ = judged(**DIALS["go_anyway"])
    truth = named_values(slates, click_anyway(slates))
    assert truth.value("given_met") < truth.value("given_not_shown") < truth.value("raw")


def test_the_error_of_a_difference_is_far_below_that_of_a_value_and_of_what_logs_can_say():
    slates, drawn = judged(events_per_day=6000, **DIALS["all"])
    first, second = named_values(slates, click_anyway(slates)), named_values(slates, uniform(slates))
    gap = first - second
    for name in ("raw", "given_met"):
        assert gap.error(name) < 1e-12
    assert gap.error("total") < first.error("total")
    clicks = drawn.click.reshape(-1, drawn.shown)[slates.request].sum(axis=1)
    assert gap.error("total") < 0.02 * clicks.std() / np.sqrt(len(clicks))


def test_probabilities_that_are_none_and_worlds_that_hide_a_cause_are_refused():
    slates, drawn = judged()
    pi = uniform(slates)
    with pytest.raises(ValueError, match="got"):
        named_values(slates, pi[:, :, :-1])
    with pytest.raises(ValueError, match="must sum to 1"):
        named_values(slates, pi * 2)
    above = np.full(pi.shape, 1 / pi.shape[2])
    with pytest.raises(ValueError, match="above slot 2"):
        named_values(slates, above)
    with pytest.raises(ValueError, match="outcome must be one of"):
        named_values(slates, pi, "rating")
    hidden = World(replace(TINY, hidden_on_click=1.0))
    with pytest.raises(ValueError, match="hidden cause"):
        Slates.of(hidden, drawn, Past(hidden))
