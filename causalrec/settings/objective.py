"""The objective: satisfaction + lambda x revenue, in the form that `data/objective.yaml` names.

do: L + lambda R. L = log P(S = 1 | do(recommend i), u), the satisfaction at the satisfying outcome S. R = sum over
outcomes y of a_y(i) P(Y = y | do(recommend i), u), the revenue, where a_y(i) is the money that the outcome y of item i
brings. Which share of a price that is, only the people of a shop know: until they state it there is no R, and no money
decides.

total: E[satisfying outcomes of the request | do(show i), u] + lambda E[money of the request | do(show i), u].

effect_given_met: (P1 - P0) + lambda (R1 - R0), against an impression of the same item that nobody recommended.
Differences, never logs of differences.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Protocol, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from causalrec.answers import InputError
from causalrec.settings.base import Settings
from causalrec.settings.kinds import Conflict, Must

Floats = npt.NDArray[np.float64]
Form = Literal["do", "total", "effect_given_met"]
DO: Form = "do"
TOTAL: Form = "total"
EFFECT_GIVEN_MET: Form = "effect_given_met"
UNITS: dict[Form, str] = {DO: "nats", TOTAL: "outcomes of the request", EFFECT_GIVEN_MET: "outcomes"}
"""Of the value of an item; lambda is in these per unit of currency, and the temperature is in them too."""


class Logged(Protocol):
    """What a source logs, as `sources.yaml` says it."""

    @property
    def organic_rows(self) -> str: ...

    def has(self, column: str) -> bool: ...


class Expected(Protocol):
    """What is expected of showing items, each (contexts, items); None where the data cannot tell.

    Attributes:
        click, purchase: P(Y = 1 | do(recommend)).
        click_if_not, purchase_if_not: P(Y = 1) of the same item, met and not recommended.
        click_unprompted, purchase_unprompted: The same as effects are told by, where there is something better for that
            than the arm itself; None: nothing is.
        rest_click, rest_purchase: E[outcomes of the rest of the request | do(show)], counts.
        rest_sales: E[price x purchases of the rest of the request | do(show)], in units of currency.
        price: (items,).
    """

    @property
    def click(self) -> Floats: ...
    @property
    def purchase(self) -> Floats | None: ...
    @property
    def click_if_not(self) -> Floats | None: ...
    @property
    def purchase_if_not(self) -> Floats | None: ...
    @property
    def click_unprompted(self) -> Floats | None: ...
    @property
    def purchase_unprompted(self) -> Floats | None: ...
    @property
    def rest_click(self) -> Floats | None: ...
    @property
    def rest_purchase(self) -> Floats | None: ...
    @property
    def rest_sales(self) -> Floats | None: ...
    @property
    def price(self) -> Floats | None: ...


class Objective(Settings):
    """What to maximise.

    Attributes:
        satisfying: The outcome S.
        form: do (L + lambda R of the slot), total (outcomes and money of the whole request with one slot changed) or
            effect_given_met (what recommending adds to meeting the item). Left out: total where the logs hold organic
            outcomes and requests, else do.
        weight: lambda, in units of the form per unit of currency: nats with do, outcomes with total and
            effect_given_met; None: nobody has said what money is worth, items rank by satisfaction alone.
        margin: Share of an item's price that a purchase brings; None: nobody has stated it, and there is no R.
    """

    FILE = "objective.yaml"

    satisfying: Literal["click", "purchase"]
    form: Annotated[Form | None, Must("do, total or effect_given_met (or left out)")] = None
    weight: Annotated[
        float | None, Must("a number at least 0 (or left out)", lambda value: value is None or value >= 0)
    ] = Field(None, validation_alias="lambda")
    margin: Annotated[
        float | None, Must("a number from 0 to 1 (or left out)", lambda value: value is None or 0 <= value <= 1)
    ] = None

    @model_validator(mode="after")
    def _money_is_stated_before_it_is_weighed(self) -> Self:
        if self.weight and self.margin is None:
            raise Conflict(
                "lambda",
                f"`lambda: {self.weight:g}` weighs revenue, and without a `margin` there is none; state the margin, or "
                "leave lambda out",
            )
        return self

    @property
    def maximises(self) -> Form:
        """The form; one that is stored without any is of a release that knew only `do`. See `with_form`."""
        return self.form or DO

    def satisfaction(self, click: Floats, purchase: Floats | None) -> Floats:
        """L, in nats, at most 0."""
        return np.log(self._satisfying(click, purchase))

    def revenue(self, purchase: Floats | None, price: Floats | None) -> Floats | None:
        """R, in units of currency per recommendation; None without a stated margin, a purchase or a price."""
        return None if purchase is None or price is None or self.margin is None else self.margin * price * purchase

    def rest(
        self, click: Floats | None, purchase: Floats | None, sales: Floats | None
    ) -> tuple[Floats | None, Floats | None]:
        """Satisfying outcomes and money of the rest of the request; None where it is not known, or no margin stated.

        Args:
            click, purchase: Counts.
            sales: price x purchases, in units of currency.
        """
        outcomes = click if self.satisfying == "click" else purchase
        return outcomes, None if sales is None or self.margin is None else self.margin * sales

    def untold(self, expected: Expected) -> str | None:
        """What the form asks for and no model tells, in words; None where all is there."""
        satisfying = expected.click if self.satisfying == "click" else expected.purchase
        if satisfying is None:
            return "objective.yaml: `satisfying: purchase`, but the source logs no purchases; use click"
        if self.maximises == TOTAL:
            rest, money = self.rest(expected.rest_click, expected.rest_purchase, expected.rest_sales)
            own_money = self.revenue(expected.purchase, expected.price)
            if rest is None or (self.weight and own_money is not None and money is None):
                return "objective.yaml: `form: total` needs a model of the rest of the request; there is none"
        if self.maximises == EFFECT_GIVEN_MET:
            satisfying = expected.click_if_not if self.satisfying == "click" else expected.purchase_if_not
            if satisfying is None:
                return "objective.yaml: `form: effect_given_met` needs both arms; the model knows one only"
        return None

    def terms(self, expected: Expected) -> tuple[Floats, Floats | None]:
        """The two terms of the form, (contexts, items) each: satisfaction in `UNITS`, and money in units of currency.

        Raises:
            InputError: The form asks for what no model tells: the rest of the request, or the arm of what was met and
                not recommended. Another form is never taken in its place.
        """
        if untold := self.untold(expected):
            raise InputError(untold)
        money = self.revenue(expected.purchase, expected.price)
        if self.maximises == DO:
            return self.satisfaction(expected.click, expected.purchase), money
        own = self._satisfying(expected.click, expected.purchase)
        if self.maximises == TOTAL:
            rest, rest_money = self.rest(expected.rest_click, expected.rest_purchase, expected.rest_sales)
            assert rest is not None
            return own + rest, None if money is None or rest_money is None else money + rest_money
        click, purchase = expected.click_unprompted, expected.purchase_unprompted
        click = click if click is not None else expected.click_if_not
        purchase = purchase if purchase is not None else expected.purchase_if_not
        assert click is not None
        unprompted = self._satisfying(click, purchase)
        money_if_not = self.revenue(purchase, expected.price)
        return own - unprompted, None if money is None or money_if_not is None else money - money_if_not

    def value(self, satisfaction: Floats, revenue: Floats | None) -> Floats:
        """satisfaction + lambda x revenue; satisfaction alone where revenue is not available, or lambda not stated.

        Args:
            satisfaction, revenue: Both of one form: those of `terms`, or a policy's values, or the rewards of rounds.
        """
        return satisfaction if revenue is None or self.weight is None else satisfaction + self.weight * revenue

    def _satisfying(self, click: Floats, purchase: Floats | None) -> Floats:
        if self.satisfying == "click":
            return click
        if purchase is None:
            raise InputError("objective.yaml: `satisfying: purchase`, but the source logs no purchases; use click")
        return purchase

    def to_json(self) -> dict[str, Any]:
        """As `parse` reads it. `do` goes without saying, so that bundles of it keep their names."""
        form = {} if self.maximises == DO else {"form": self.maximises}
        return {"satisfying": self.satisfying, "lambda": self.weight, "margin": self.margin, **form}


def default_form(source: Logged) -> Form:
    """total where the logs hold organic outcomes and requests, else do."""
    return TOTAL if logs_whole_requests(source) else DO


def logs_whole_requests(source: Logged) -> bool:
    """Whether all outcomes of a request are logged, those of organic rows too, and which rows are of one request."""
    return source.organic_rows != "none" and source.has("request_id")


def with_form(objective: Objective, source: Logged, temperature: float | None = None) -> Objective:
    """The objective with its form, which the source's logs can tell.

    Args:
        objective: Of the settings file.
        temperature: As `policy.yaml` states it.

    Raises:
        InputError: The logs cannot tell the stated form; or lambda or a temperature is stated, and the form, whose
            units it is in, is left out and is not the one that was the only one before there were forms.
    """
    if objective.form is None:
        form = default_form(source)
        for key, given in (("objective.yaml: `lambda", objective.weight), ("policy.yaml: `temperature", temperature)):
            if form != DO and given:
                raise InputError(
                    f"{key}: {given:g}` is in units of the form, and objective.yaml leaves `form` out, which is {form} "
                    f"with these logs ({UNITS[form]}); state `form: {form}`, or `form: {DO}` if it is in {UNITS[DO]}, "
                    "as it was before there were forms, or leave it out"
                )
        return objective.model_copy(update={"form": form})
    if objective.form == TOTAL and not logs_whole_requests(source):
        raise InputError(
            "objective.yaml: `form: total` counts all outcomes of a request, and these logs do not hold them: it needs "
            "`organic_rows: every_impression` or `interactions_only`, and `request_id` among `events.columns` "
            f"(sources.yaml); use `form: {DO}`"
        )
    if objective.form == EFFECT_GIVEN_MET and source.organic_rows != "every_impression":
        raise InputError(
            "objective.yaml: `form: effect_given_met` compares with impressions that nobody recommended, and needs "
            f"`organic_rows: every_impression` (sources.yaml), which is {source.organic_rows}; use `form: {DO}`"
        )
    return objective
