"""The simulator's structural causal model, written down as a graph over the columns of `units` and the latent causes.

Everything else in this package is the equations of these arrows. The logging policy's arrows start at logged columns
only (`user_category_click_rate`, `item_click_rate`, `price`): that is what makes the effects identifiable from the logs.
"""

from __future__ import annotations

LATENT = ("user_taste", "item_quality")

CAUSES: dict[str, tuple[str, ...]] = {
    # effect: its causes
    "price": ("category",),
    "item_quality": ("item_content",),
    "user_category_click_rate": ("user_taste", "user_exposures"),
    "user_clicks": ("user_taste", "user_exposures"),
    "item_click_rate": ("item_exposures", "item_quality", "price"),
    "item_exposures": ("price",),
    "recommended": ("user_category_click_rate", "item_click_rate", "price"),
    "position": ("recommended",),
    "click": (
        "user_taste", "item_quality", "price", "hour", "device", "user_category_click_rate", "recommended", "position",
    ),
    "purchase": ("click", "user_taste", "price", "recommended"),
}


def edges() -> list[tuple[str, str]]:
    """All arrows (cause, effect), sorted."""
    return sorted((cause, effect) for effect, causes in CAUSES.items() for cause in causes)
