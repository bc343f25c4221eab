"""Which of our names a user's column probably is: by its name first, and only where its content fits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from causalrec.logs.describe.observed import Observed, plain

BY_NAME = ("its name", "its name, and what it holds")
IDS = ("id", "number", "category", "text", "flag")


@dataclass(frozen=True)
class Rule:
    """How a column of ours is recognised.

    Attributes:
        names: What others call it, without case and marks; the likeliest first.
        fits: Why a column of that name is not it, in words; empty where it may be.
    """

    names: tuple[str, ...]
    fits: Callable[[Observed], str]


@dataclass(frozen=True)
class Guess:
    """A column of ours, with the user's that it probably is, and why; or why one of that name is not."""

    ours: str
    theirs: str
    why: str
    fits: bool = True


def _one_of(*kinds: str) -> Callable[[Observed], str]:
    def check(column: Observed) -> str:
        return "" if column.kind in kinds else f"it holds {column.words()}"

    return check


def _share(column: Observed) -> str:
    if column.kind not in ("number", "flag") or (column.kind == "flag" and column.codes):
        return f"it holds {column.words()}"
    least, most = column.least or 0, column.most if column.most is not None else 1
    inside = isinstance(least, float | int) and isinstance(most, float | int) and least >= 0 and most <= 1
    return "" if inside else f"a probability is from 0 to 1, this is {column.words()}"


def _slot(column: Observed) -> str:
    return "" if (column.kind == "number" and column.whole) or column.kind == "flag" else f"it holds {column.words()}"


def _once(column: Observed) -> str:
    return "" if column.unique else f"{column.distinct:,} values, and some stand in more than one row"


def _moment(column: Observed) -> str:
    if column.kind == "date":
        return "a day without an hour is no time: what came first on a day is then not known"
    return "" if column.kind == "time" else f"it holds {column.words()}"


def _names(words: str) -> tuple[str, ...]:
    return tuple(words.split())


EVENTS: dict[str, Rule] = {
    "event_id": Rule(_names("eventid impressionid logid rowid uuid id"), _once),
    "time": Rule(
        _names(
            "time timestamp ts datetime eventtime eventtimestamp loggedat createdat occurredat servertime timems "
            "requesttime impressiontime date"
        ),
        _moment,
    ),
    "user_id": Rule(_names("userid user uid customerid customer visitorid clientid accountid memberid"), _one_of(*IDS)),
    "item_id": Rule(
        _names(
            "itemid item movieid videoid productid product sku articleid contentid songid trackid newsid offerid isbn"
        ),
        _one_of(*IDS),
    ),
    "request_id": Rule(_names("requestid slateid pageviewid impressiongroupid queryid reqid"), _one_of(*IDS)),
    "position": Rule(_names("position pos slot rank"), _slot),
    "policy": Rule(
        _names("policy loggingpolicy algorithm recommender strategy modelname"), _one_of("category", "text", "id")
    ),
    "action_propensity": Rule(
        _names("actionpropensity propensity propensityscore pscore actionprob probability"), _share
    ),
    "first_slot_propensity": Rule(_names("firstslotpropensity firstslotprobability"), _share),
    "recommended": Rule(_names("recommended isrecommended isrec fromrecommender"), _one_of("flag")),
    "click": Rule(_names("click clicked isclick clicks"), _one_of("flag")),
    "purchase": Rule(
        _names("purchase purchased ispurchase conversion converted bought ordered isbuy"), _one_of("flag")
    ),
    "rating": Rule(_names("rating stars score"), _one_of("number", "flag")),
    "revenue": Rule(_names("revenue spend ordervalue sales amount gmv"), _one_of("number", "flag")),
    "price": Rule(_names("price unitprice listprice"), _one_of("number")),
    "click_time": Rule(_names("clicktime clickedat"), _moment),
    "purchase_time": Rule(_names("purchasetime purchasedat orderedat"), _moment),
    "rating_time": Rule(_names("ratingtime ratedat"), _moment),
    "campaign_id": Rule(_names("campaignid campaign"), _one_of(*IDS)),
    "experiment_id": Rule(_names("experimentid experiment testid test"), _one_of(*IDS)),
    "variant": Rule(_names("variant arm treatmentarm group bucket cell segment"), _one_of("category", "flag")),
}
ITEMS: dict[str, Rule] = {
    "item_id": Rule((*EVENTS["item_id"].names, "id"), _once),
    "title": Rule(_names("title name itemname productname headline"), _one_of("text", "category", "id")),
    "description": Rule(_names("description desc summary body text caption genres"), _one_of("text", "category", "id")),
    "category": Rule(_names("category genre department section topic tag"), _one_of("category", "text", "number")),
    "price": EVENTS["price"],
    "published_at": Rule(
        _names("publishedat releasedate published uploaddt createdat launchdate releasedat"), _one_of("date", "time")
    ),
}
USERS: dict[str, Rule] = {"user_id": Rule((*EVENTS["user_id"].names, "id"), _once)}
SENSITIVE = _names("age agegroup birthyear gender sex race ethnicity religion nationality income zip zipcode postcode")


def guess(columns: Sequence[Observed], rules: Mapping[str, Rule]) -> list[Guess]:
    """The probable column of each of ours, at most one; a name that fits over content that does not is said too."""
    guesses, taken = [], set[str]()
    for ours, rule in rules.items():
        for name in rule.names:
            column = next((c for c in columns if plain(c.name) == name and c.name not in taken), None)
            if column is None:
                continue
            against = rule.fits(column)
            guesses.append(Guess(ours, column.name, against or _why(ours, column), not against))
            if not against:
                taken.add(column.name)
                break
    times = [column for column in columns if column.kind == "time"]
    named = any(g.ours == "time" and g.fits for g in guesses)
    if "time" in rules and not named and len(times) == 1 and times[0].name not in taken:
        guesses.append(Guess("time", times[0].name, "it is the only column that holds times"))
    return guesses


def _why(ours: str, column: Observed) -> str:
    return BY_NAME[0] if plain(column.name) == plain(ours) else BY_NAME[1]


def kind_of_feed(columns: Sequence[Observed]) -> str:
    """`events`, `items` or `users`, by the columns that are recognised; empty: none of them."""
    events = {g.ours: g for g in guess(columns, EVENTS) if g.fits}
    outcomes = {"click", "purchase", "rating", "revenue"} & events.keys()
    if "item_id" in events and ("time" in events or outcomes or "user_id" in events):
        return "events"
    if outcomes and len(columns) > 2:
        return "events"
    if any(g.fits and g.ours == "item_id" for g in guess(columns, ITEMS)) and "user_id" not in events:
        return "items"
    if any(g.fits and g.ours == "user_id" for g in guess(columns, USERS)) and "item_id" not in events:
        return "users"
    return ""


def is_sensitive(name: str) -> bool:
    """Whether a column is named like a trait that people are protected by."""
    return plain(name) in SENSITIVE
