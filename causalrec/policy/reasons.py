"""Why an item is recommended, in one sentence about its potential outcomes."""

from __future__ import annotations


def reason(click: float, click_if_not: float | None, revenue: float | None, rank_by: str, explored: bool) -> str:
    """A sentence for the person who reads the recommendation.

    Args:
        click, click_if_not: P(click) if recommended and if not; the latter None where it was never seen.
        revenue: Expected revenue in units of currency; None where it is not available.
        rank_by: "satisfaction" or "revenue": which term of the objective lifts the item more above the average
        candidate. explored: The item ranks below the slate's size and was drawn by exploration.
    """
    if click_if_not is None:
        effect = f"{click:.1%} are expected to click it; what they would do unprompted was never logged"
    else:
        change = click - click_if_not
        verb = "raises" if change >= 0 else "lowers"
        effect = f"recommending it {verb} the chance of a click from {click_if_not:.1%} to {click:.1%}"
    money = "" if revenue is None else f"; expected revenue {revenue:.2f}"
    why = "shown to learn more about it" if explored else f"ranked high by its {rank_by}"
    return f"{effect[0].upper()}{effect[1:]}{money}; {why}."
