"""Why an item is recommended, in one sentence about its potential outcomes."""

from __future__ import annotations

from causalrec.settings.objective import DO, TOTAL, Form


def ranked_by(form: Form, money: bool) -> str:
    """What lifts an item most above the average candidate, in words.

    Args:
        form: Of the objective.
        money: Whether it is the second of the form's two terms.
    """
    term = "revenue" if money else "satisfaction"
    if form == DO:
        return f"its {term}"
    return f"the {term} of the whole request" if form == TOTAL else f"what recommending adds to its {term}"


def reason(click: float, click_if_not: float | None, revenue: float | None, rank_by: str, explored: bool) -> str:
    """A sentence for the person who reads the recommendation.

    Args:
        click, click_if_not: P(click) if recommended and if not; the latter None where it was never seen.
        revenue: Expected revenue in units of currency; None where it is not available.
        rank_by: Of `ranked_by`.
        explored: The item ranks below the slate's size and was drawn by exploration.
    """
    if click_if_not is None:
        effect = f"{click:.1%} are expected to click it; what they would do unprompted was never logged"
    else:
        change = click - click_if_not
        verb = "raises" if change >= 0 else "lowers"
        effect = f"recommending it {verb} the chance of a click from {click_if_not:.1%} to {click:.1%}"
    money = "" if revenue is None else f"; expected revenue {revenue:.2f}"
    why = "shown to learn more about it" if explored else f"ranked high by {rank_by}"
    return f"{effect[0].upper()}{effect[1:]}{money}; {why}."
