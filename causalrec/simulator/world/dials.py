"""The dials of a world: how much there is of what makes logs hard; docs/simulator.md says what each does to them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date

COUNTS = ("days", "users", "items", "slate", "organic", "history_days", "cold_start_days", "campaign_every")
SHARES = (
    "new_items",
    "new_users",
    "campaign_share",
    "experiment_share",
    "duplicate_share",
    "late_share",
    "holdout_share",
)
CHANCES = ("go_anyway", "displacement_organic", "displacement_slots")


@dataclass(frozen=True)
class WorldConfig:
    """The dials of a world. From `confounding` on, every default leaves the plain world.

    Attributes:
        seed: The same seed gives the same bytes.
        slate, organic: Items recommended and items met while browsing, per request.
        exploration: Share of the logging policy's probability that is uniform over all items.
        taste_strength: Standard deviation of a user's latent taste for a category, in logits of the click.
        policy_on_taste, policy_on_popularity, policy_on_price: How strongly the logging policy follows the
            user's past click rate in the item's category and the item's past click rate, and shuns a high
            price. All are logged.
        browse_on_popularity, browse_on_price: How strongly browsing follows the item's past click rate and a
            high price. These two and the three above are the confounding: all 0 makes an experiment.
        lift, lift_by_history: Effect of being recommended on the click, in logits: its level, and its slope
            in the log of the user's past click rate in the category.
        position_decay: The position bias: what each further slot takes off the click of a recommended item, in
            logits.
        prior_rate, prior_exposures: Past click rates are (clicks + rate x exposures) / (seen + exposures).
        item_quality: Multiplies the latent quality of items.
        price_effect: What a unit of log price takes off the click, in logits.
        history_days: The logging policy and the covariates look back this far.
        confounding: Multiplies the five `policy_on_` and `browse_on_` dials: 0 is an experiment, 1 as they are.
        policy_on_newness: How strongly the policy shows new items and the aisles old ones, per log day of age. Age
            causes no outcome: it takes overlap away, and adjusting for it besides removes all that it does.
        hidden_gamma: The hidden confounding. A cause that nobody logs multiplies the odds of being recommended by
            sqrt(gamma) where it is there and by 1 / sqrt(gamma) where it is not: two units of the same covariates
            have an odds ratio of at most gamma, which is Rosenbaum's (2002, "Observational Studies", section 4.2).
        hidden_on_click: What that cause adds to the click of either arm, in logits.
        rating_rate: P(rated given clicked) of an item that deserves 3 stars; 0: nobody rates.
        rating_missingness: What each star more adds to being rated, in logits; 0: missing completely at random
            among the clicked.
        lift_by_price, lift_by_mobile: Slopes of the lift in the log price and in the device, in logits.
        lift_spread: Standard deviation of the lift over users and categories, in logits: nobody logs it.
        new_items, new_users: Shares that are first there on a day of the run.
        cold_start_days: They come on day 1 to `cold_start_days` (the first day is 0), uniformly.
        taste_drift, quality_drift: Radians a day: a user's tastes (items' qualities) of two days that are k days
            apart correlate with cos(k x drift).
        campaign_share: Share of items in a campaign, drawn at random; 0: no campaign.
        campaign_every, campaign_days: Days from one campaign's start to the next one's, and how long each lasts. The
            first starts on day 1.
        campaign_discount, campaign_boost: Share off the price, and logits of click on top of what the price does.
        experiment_share: Share of users in the variant "treatment" of the experiment, by hash; 0: no experiment.
        experiment_lift: Effect of that variant on the click, in logits.
        delay_days: Mean days from the click to the purchase, exponential. Above 0 purchases come as a stream of
            their own, on the day they happen; 0: with the event.
        duplicate_share: Share of rows that are sent once more, with the same id, on a later day.
        late_share: Share of rows that arrive in the folder of a later day only.
        late_days: They arrive after 1 to `late_days` days.
        go_anyway: Chance that in a request people come for `organic` items of their own, instead of browsing: of these,
            they go to what the slate does not show, and it is met without a recommendation. 0: nobody does.
        go_anyway_focus: How strongly what they come for follows the user's past click rate in the category and the
            item's, as a power of both: a high one is a few favourites, which they would click anyway.
        displacement_organic: Chance that a click on a recommendation removes an organic click of its request, with its
            purchase: of each such pair by itself.
        displacement_slots: The same of the clicks on the slots below it.
        holdout_share: Share of requests, drawn at random, that get no slate at all.
    """

    seed: int = 7
    first_day: date = date(2026, 3, 2)
    days: int = 14
    users: int = 2000
    items: int = 500
    events_per_day: int = 20_000
    slate: int = 5
    organic: int = 5
    exploration: float = 0.35
    taste_strength: float = 1.0
    policy_on_taste: float = 1.0
    policy_on_popularity: float = 0.6
    policy_on_price: float = 0.3
    browse_on_popularity: float = 0.2
    browse_on_price: float = 0.3
    lift: float = 0.35
    lift_by_history: float = 0.1
    item_quality: float = 1.0
    price_effect: float = 0.35
    position_decay: float = 0.08
    base_click: float = -2.9
    base_purchase: float = -1.2
    history_days: int = 28
    prior_rate: float = 0.1
    prior_exposures: float = 10.0
    confounding: float = 1.0
    policy_on_newness: float = 0.0
    hidden_gamma: float = 1.0
    hidden_on_click: float = 0.0
    rating_rate: float = 0.0
    rating_missingness: float = 0.0
    lift_by_price: float = 0.0
    lift_by_mobile: float = 0.0
    lift_spread: float = 0.0
    new_items: float = 0.0
    new_users: float = 0.0
    cold_start_days: int = 13
    taste_drift: float = 0.0
    quality_drift: float = 0.0
    campaign_share: float = 0.0
    campaign_every: int = 7
    campaign_days: int = 3
    campaign_discount: float = 0.2
    campaign_boost: float = 0.0
    experiment_share: float = 0.0
    experiment_lift: float = 0.0
    delay_days: float = 0.0
    duplicate_share: float = 0.0
    late_share: float = 0.0
    late_days: int = 2
    go_anyway: float = 0.0
    go_anyway_focus: float = 3.0
    displacement_organic: float = 0.0
    displacement_slots: float = 0.0
    holdout_share: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.exploration <= 1:
            raise ValueError(f"exploration must be in (0, 1], got {self.exploration}: without it there is no overlap")
        for dial in (*COUNTS, "late_days"):
            if getattr(self, dial) < 1:
                raise ValueError(f"{dial} must be at least 1, got {getattr(self, dial)}")
        for dial in SHARES:
            if not 0 <= getattr(self, dial) < 1:
                raise ValueError(f"{dial} is a share: it must be in [0, 1), got {getattr(self, dial)}")
        for dial in CHANCES:
            if not 0 <= getattr(self, dial) <= 1:
                raise ValueError(f"{dial} is a chance: it must be in [0, 1], got {getattr(self, dial)}")
        if self.events_per_day < self.slate + self.organic:
            raise ValueError(
                f"events_per_day is {self.events_per_day}, but one request alone is {self.slate + self.organic} events"
            )
        if not 0 < self.prior_rate < 1 or self.prior_exposures <= 0:
            raise ValueError(
                f"prior_rate must be in (0, 1) and prior_exposures above 0, got {self.prior_rate} and "
                f"{self.prior_exposures}: past click rates would be 0"
            )
        if self.slate + self.organic > self.old_items:
            raise ValueError(
                f"a request shows {self.slate + self.organic} items, the shop has {self.old_items} on its first day"
            )
        if self.old_users < 1:
            raise ValueError(f"new_users is {self.new_users}: nobody is left who comes on the first day")
        if self.hidden_gamma < 1:
            raise ValueError(f"hidden_gamma is an odds ratio of at least 1 (1: none), got {self.hidden_gamma}")
        if not 0 <= self.rating_rate < 1:
            raise ValueError(f"rating_rate must be in [0, 1), got {self.rating_rate}")
        if not 1 <= self.campaign_days <= self.campaign_every:
            raise ValueError(
                f"campaign_days must be from 1 to campaign_every = {self.campaign_every}, got {self.campaign_days}: "
                "campaigns would overlap"
            )
        if not 0 <= self.campaign_discount < 1:
            raise ValueError(f"campaign_discount must be in [0, 1), got {self.campaign_discount}")
        if self.delay_days < 0:
            raise ValueError(f"delay_days must be at least 0, got {self.delay_days}")

    @property
    def old_items(self) -> int:
        """Items that are there on the first day."""
        return self.items - round(self.new_items * self.items)

    @property
    def old_users(self) -> int:
        """Users who are there on the first day."""
        return self.users - round(self.new_users * self.users)

    @property
    def hidden(self) -> bool:
        """Whether there is a hidden cause at all."""
        return self.hidden_gamma > 1 or self.hidden_on_click != 0

    @property
    def displacement(self) -> bool:
        """Whether a click can remove another one of its request."""
        return self.displacement_organic > 0 or self.displacement_slots > 0

    def to_json(self) -> dict[str, object]:
        return {**asdict(self), "first_day": self.first_day.isoformat()}

    @classmethod
    def from_json(cls, raw: dict[str, object]) -> WorldConfig:
        return cls(**{**raw, "first_day": date.fromisoformat(str(raw["first_day"]))})  # type: ignore[arg-type]
