"""The simulator's structural causal model: a graph over the columns of `units` and the causes nobody logs.

Everything else in this package is the equations of these arrows. The logging policy's and the aisles' arrows
start at logged columns only (`user_category_click_rate`, `item_click_rate`, `price`): that is what makes the
effects identifiable from the logs. Past columns are caused by latent traits, because they are what earlier
outcomes left.

One dependence is left out: a slate's probabilities sum to 1, so that the user's rates in the *other*
categories move `recommended` a little. In the default world it cannot be told from nothing: z = 0.6 for
`user_exposures` given the three columns, at 200,000 rows.
"""

from __future__ import annotations

# What nobody logs. `user_taste` is the user's taste for the item's category.
LATENT = ("user_taste", "user_other_tastes", "user_activity", "item_quality")

# An arrow never points to an earlier tier.
TIERS: tuple[tuple[str, ...], ...] = (
    ("user_taste", "user_other_tastes", "user_activity", "category", "hour", "weekday", "device"),
    ("item_content", "price", "item_age_days"),
    ("item_quality",),
    ("user_tenure_days",),
    ("user_exposures", "item_exposures"),
    ("user_clicks", "user_category_click_rate", "item_click_rate"),
    ("recommended",),
    ("position",),
    ("click",),
    ("purchase",),
    ("revenue",),
)

CAUSES: dict[str, tuple[str, ...]] = {
    # effect: its causes. What is only in TIERS has none.
    "item_content": ("category",),  # the words name the kind of item
    "price": ("category",),
    "item_quality": ("item_content",),
    "user_tenure_days": ("user_activity",),  # who comes often was first seen earlier
    "user_exposures": ("user_activity", "user_tenure_days"),
    "item_exposures": ("price", "item_quality"),  # what was clicked is shown more on later days
    "user_clicks": ("user_taste", "user_other_tastes", "user_exposures"),
    # Dear categories are clicked less.
    "user_category_click_rate": ("user_taste", "user_exposures", "category"),
    "item_click_rate": ("item_quality", "price", "item_exposures"),
    "recommended": ("user_category_click_rate", "item_click_rate", "price"),
    "position": ("recommended",),
    "click": (
        "user_taste",
        "item_quality",
        "price",
        "hour",
        "device",
        "user_category_click_rate",
        "recommended",
        "position",
    ),
    "purchase": ("click", "user_taste", "price", "recommended"),
    "revenue": ("purchase", "price"),
}


def edges() -> list[tuple[str, str]]:
    """All arrows (cause, effect), sorted."""
    return sorted((cause, effect) for effect, causes in CAUSES.items() for cause in causes)
