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

from causalrec.simulator.world.dials import WorldConfig

# What nobody logs. `user_taste` is the user's taste for the item's category.
LATENT = ("user_taste", "user_other_tastes", "user_activity", "item_quality")

# An arrow never points to an earlier tier.
TIERS: tuple[tuple[str, ...], ...] = (
    ("user_taste", "user_other_tastes", "user_activity", "category", "month", "hour", "weekday", "device"),
    ("age_group", "region"),  # known of users, and neither causes nor is caused by anything
    ("item_content", "price", "item_age_days"),
    ("item_quality",),
    ("user_tenure_days",),
    ("user_exposures", "item_exposures"),
    ("user_clicks", "user_category_click_rate", "item_click_rate"),
    ("user_purchases", "user_recency_days", "item_purchase_rate", "item_price_change"),
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
    "user_purchases": ("user_taste", "user_other_tastes", "user_clicks"),
    # Who comes often was here lately; who was never here was not.
    "user_recency_days": ("user_activity", "user_tenure_days", "user_exposures"),
    "item_purchase_rate": ("item_click_rate", "price", "item_exposures"),  # dear items are bought less
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

# A dial's nodes, and the tier's first node that each comes just before; the last tier is of its own.
DIAL_TIERS: dict[str, str] = {
    "campaign_id": "category",
    "variant": "category",
    "user_responsiveness": "category",
    "hidden_cause": "recommended",
    "rating": "purchase",
}


def edges(config: WorldConfig | None = None) -> list[tuple[str, str]]:
    """All arrows (cause, effect), sorted.

    Args:
        config: With what its dials add and without what they take away; None: the default world's.
    """
    arrows = {(cause, effect) for effect, causes in CAUSES.items() for cause in causes}
    if config is not None:
        arrows = (arrows | _added(config)) - _taken_away(config)
    return sorted(arrows)


def latent(config: WorldConfig | None = None) -> tuple[str, ...]:
    """What nobody logs."""
    c, nodes = config or WorldConfig(), list(LATENT)
    nodes += ["user_responsiveness"] if c.lift_spread else []
    nodes += ["hidden_cause"] if c.hidden else []
    return tuple(nodes)


def tiers(config: WorldConfig | None = None) -> tuple[tuple[str, ...], ...]:
    """The tiers with the nodes that dials add."""
    nodes = {node for edge in edges(config) for node in edge} if config is not None else set()
    extended = []
    for tier in TIERS:
        added = tuple(n for n, beside in DIAL_TIERS.items() if beside in tier and n in nodes)
        # What comes before the treatment or beside the later outcomes has a tier of its own.
        apart = tuple(n for n in added if n in ("hidden_cause", "rating"))
        extended += [apart] if apart else []
        extended.append(tuple(n for n in added if n not in apart) + tier)
    return tuple(extended)


def _added(c: WorldConfig) -> set[tuple[str, str]]:
    arrows: set[tuple[str, str]] = set()
    if c.policy_on_newness:
        # What is shown by its age was shown by its age before.
        arrows |= {("item_age_days", "recommended"), ("item_age_days", "item_exposures")}
    if c.new_items:
        arrows |= {("item_age_days", "item_exposures")}
    if c.hidden_on_click:
        arrows |= {("hidden_cause", "click")}
    if c.lift_spread:
        arrows |= {("user_responsiveness", y) for y in ("user_clicks", "user_category_click_rate", "click")}
    if c.campaign_share:
        arrows |= (
            {("campaign_id", "price"), ("campaign_id", "click")} if c.campaign_boost else {("campaign_id", "price")}
        )
        # Prices differ from what was shown before only where campaigns lower them.
        arrows |= {("campaign_id", "item_price_change"), ("price", "item_price_change")}
    if c.experiment_share and c.experiment_lift:
        arrows |= {("variant", "click")}
    if c.rating_rate:
        arrows |= {("click", "rating"), ("user_taste", "rating"), ("item_quality", "rating")}
    if c.hidden_gamma > 1:
        arrows |= {("hidden_cause", "recommended")}
        # P(U = 1 | X) follows from P(T = 1 | X): whatever moves the one moves the other.
        moved = {*CAUSES["recommended"], *(["item_age_days"] if c.policy_on_newness else [])}
        arrows |= {(cause, "hidden_cause") for cause in moved if (cause, "recommended") not in _taken_away(c)}
    return arrows


def _taken_away(c: WorldConfig) -> set[tuple[str, str]]:
    arrows: set[tuple[str, str]] = set()
    strength = c.confounding
    # What people come for follows the rates of both, whatever the policy follows.
    goes = c.go_anyway * c.go_anyway_focus
    if not strength * c.policy_on_taste and not goes:
        arrows |= {("user_category_click_rate", "recommended")}
    if not strength * c.policy_on_popularity and not strength * c.browse_on_popularity and not goes:
        arrows |= {("item_click_rate", "recommended"), ("item_quality", "item_exposures")}
    if not strength * c.policy_on_price and not strength * c.browse_on_price:
        arrows |= {("price", "recommended")}
    if not c.position_decay:
        arrows |= {("position", "click")}
    if not c.lift_by_history:
        arrows |= {("user_category_click_rate", "click")}
    return arrows
