"""The default world beside real samples: tails, rates, ratings and position curves, in one self-contained page.

    python -m benchmarks.realism --data DIR [--obd WHEEL] [--out realism.html]

DIR has the folders `movielens-latest-small`, `coat` and `hillstrom`, as they are published; what is not there is left
out, and the page says so. The Open Bandit sample is read from the wheel of obp 0.4.1 (`make demo LOGS=obd` fetches it
into `.home/cache`). Last, one line of JSON with every figure.
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from causalrec.arrays import Floats
from causalrec.home import CHECKOUT
from causalrec.simulator.traffic.traffic import simulate_day
from causalrec.simulator.world.past import Past
from causalrec.simulator.world.world import World, WorldConfig


@dataclass
class Sample:
    """What is known of one source; what it does not have stays empty.

    Attributes:
        per_item, per_user: Counts by what is counted ("clicks per item" -> counts).
        rates: Name -> share.
        stars: Name -> share of 1 to 5 stars.
        by_slot: Name -> click rate of each slot, from the first.
    """

    name: str
    about: str
    per_item: dict[str, Floats] = field(default_factory=dict)
    per_user: dict[str, Floats] = field(default_factory=dict)
    rates: dict[str, float] = field(default_factory=dict)
    stars: dict[str, Floats] = field(default_factory=dict)
    by_slot: dict[str, Floats] = field(default_factory=dict)


# -- tails


def gini(counts: Floats) -> float:
    """Of counts, 0 (all alike) to 1 (one has all)."""
    x = np.sort(np.asarray(counts, dtype=np.float64))
    n = len(x)
    return float(2 * (np.arange(1, n + 1) * x).sum() / (n * x.sum()) - (n + 1) / n)


def top_share(counts: Floats, share: float = 0.1) -> float:
    """What the largest tenth has of all."""
    x = np.sort(np.asarray(counts, dtype=np.float64))[::-1]
    return float(x[: max(1, round(share * len(x)))].sum() / x.sum())


def zipf_slope(counts: Floats) -> float:
    """Slope of log count on log rank over the upper half of the ranks."""
    x = np.sort(np.asarray(counts, dtype=np.float64))[::-1]
    x = x[: max(2, len(x) // 2)]
    x = x[x > 0]
    return float(np.polyfit(np.log(np.arange(1, len(x) + 1)), np.log(x), 1)[0])


# -- sources


def simulated() -> Sample:
    """The default world, with ratings switched on: that dial changes no other draw."""
    world = World(WorldConfig(rating_rate=0.3))
    past, days = Past(world), []
    for number in range(world.config.days):
        day = simulate_day(world, past, number)
        days.append(day.events.with_columns(day.truth["true_rating"], day.truth["p_click_1"], day.truth["p_click_0"]))
    rows = pl.concat(days)
    shown, organic = rows.filter(pl.col("recommended") == 1), rows.filter(pl.col("recommended") == 0)
    clicks = rows.filter(pl.col("click") == 1)
    of_users, of_items = np.zeros(world.config.users), np.zeros(world.config.items)
    requests = rows.unique("request_id")["user_id"].value_counts()["count"].to_numpy()
    of_users[: len(requests)] = requests
    clicked = clicks["item_id"].value_counts()["count"].to_numpy()
    of_items[: len(clicked)] = clicked
    everyone, everything = np.arange(world.config.users)[:, None], np.arange(world.config.items)[None, :]
    return Sample(
        "simulated",
        f"the default world, {rows.height:,} events of {world.config.users:,} users and {world.config.items} items",
        {
            "exposures by the recommender": shown["item_id"].value_counts()["count"].to_numpy().astype(float),
            "clicks": of_items,
        },
        {"requests": of_users},
        {
            "click, recommended": _share(shown["click"]),
            "click, organic": _share(organic["click"]),
            "purchase per event": _share(rows["purchase"]),
            "purchase per click": clicks["purchase"].sum() / clicks.height,
            "rating per click": 1 - clicks["rating"].null_count() / clicks.height,
            "effect on the click, relative": _mean(rows["p_click_1"]) / _mean(rows["p_click_0"]) - 1,
        },
        {
            "given by users": _stars(rows["rating"].drop_nulls().to_numpy()),
            "all pairs": _stars(world.rating(everyone, everything).ravel()),
        },
        {"recommended": _by_slot(shown)},
    )


def movielens(folder: Path) -> Sample:
    ratings = pl.read_csv(folder / "ratings.csv")
    return Sample(
        "MovieLens",
        f"latest-small: {ratings.height:,} ratings; users with fewer than 20 were left out by those who published it",
        {"ratings": _counts(ratings["movieId"])},
        {"ratings": _counts(ratings["userId"])},
        {},
        {"given by users": _stars(np.ceil(ratings["rating"].to_numpy()))},
    )


def coat(folder: Path) -> Sample:
    chosen = np.loadtxt(folder / "train.ascii")
    random = np.loadtxt(folder / "mar_validation.ascii")
    return Sample(
        "Coat",
        f"{int((chosen > 0).sum()):,} ratings of self-chosen coats (24 a user), and of randomly drawn ones",
        {"ratings": (chosen > 0).sum(axis=0).astype(float)},
        {},
        {},
        {"given by users": _stars(chosen[chosen > 0]), "all pairs": _stars(random[random > 0])},
    )


def hillstrom(folder: Path) -> Sample:
    rows = pl.read_csv(folder / "hillstrom.csv.gz", columns=["segment", "visit", "conversion"])
    arms = rows.with_columns((pl.col("segment") != "No E-Mail").alias("mailed"))
    by = {bool(k): part for (k,), part in arms.group_by("mailed")}
    rates = {}
    for name, part in rows.group_by("segment", maintain_order=True):
        rates |= {f"{y}, {name[0]}": _share(part[y]) for y in ("visit", "conversion")}
    rates["purchase per visit"] = rows["conversion"].sum() / rows["visit"].sum()
    rates["effect on the visit, relative"] = _share(by[True]["visit"]) / _share(by[False]["visit"]) - 1
    return Sample("Hillstrom", f"an e-mail experiment, {rows.height:,} customers", rates=rates)


def open_bandit(wheel: Path) -> Sample:
    found = Sample("Open Bandit", "the sample of 10,000 rounds of a policy and a section in obp 0.4.1, section `all`")
    with zipfile.ZipFile(wheel) as archive:
        for policy in ("random", "bts"):
            raw = archive.read(f"obp/dataset/obd/{policy}/all/all.csv")
            rows = pl.read_csv(io.BytesIO(raw), columns=["item_id", "position", "click"])
            found.per_item[f"exposures by {policy}"] = _counts(rows["item_id"])
            found.rates[f"click, {policy}"] = _share(rows["click"])
            found.by_slot[policy] = _by_slot(rows)
    return found


def _share(column: pl.Series) -> float:
    return _mean(column)


def _mean(column: pl.Series) -> float:
    return float(column.cast(pl.Float64).to_numpy().mean())


def _counts(column: pl.Series) -> Floats:
    return column.value_counts()["count"].to_numpy().astype(np.float64)


def _stars(values: npt.NDArray[np.generic]) -> Floats:
    return np.bincount(values.astype(np.int64), minlength=6)[1:6] / len(values)


def _by_slot(rows: pl.DataFrame) -> Floats:
    return rows.group_by("position").agg(pl.col("click").cast(pl.Float64).mean()).sort("position")["click"].to_numpy()


# -- words


def verdicts(ours: Sample, real: dict[str, Sample]) -> list[str]:
    """Where the default world is like the samples and where it is not, with the figures."""
    said = []
    clicks, requests = ours.per_item["clicks"], ours.per_user["requests"]
    if (films := real.get("MovieLens")) is not None:
        said.append(
            _beside("Popularity", "Gini of the counts per item", gini(clicks), gini(films.per_item["ratings"]))
            + f" The largest tenth of items has {top_share(clicks):.0%} of the clicks; of the films "
            f"{top_share(films.per_item['ratings']):.0%} of the ratings. Zipf slopes: {zipf_slope(clicks):.2f} and "
            f"{zipf_slope(films.per_item['ratings']):.2f}."
        )
        said.append(
            _beside("User activity", "Gini of the counts per user", gini(requests), gini(films.per_user["ratings"]))
            + " (MovieLens lacks users of fewer than 20 ratings; its true tail is longer.)"
        )
    if (bandit := real.get("Open Bandit")) is not None:
        shop, rate = ours.rates["click, recommended"], bandit.rates["click, random"]
        said.append(
            f"Clicks: {shop:.1%} of recommended events are clicked, {rate:.2%} of a banner's: the world has "
            f"{shop / rate:.0f} times as many. Its tests find effects in logs of a size where real ones would not."
        )
        slope = _fall(ours.by_slot["recommended"])
        theirs = {name: _fall(curve) for name, curve in bandit.by_slot.items()}
        said.append(
            f"Position: a slot further down has {slope:+.1%} clicks a slot (Open Bandit: "
            + ", ".join(f"{name} {value:+.1%}" for name, value in theirs.items())
            + "; its three slots stand side by side, with about 13 clicks each, so that its own curve is noise). The "
            "slate's best items stand first, so that this curve is not the position bias alone, which is the dial."
        )
    if (mail := real.get("Hillstrom")) is not None:
        own, theirs_ = ours.rates["purchase per click"], mail.rates["purchase per visit"]
        lift, mailed = ours.rates["effect on the click, relative"], mail.rates["effect on the visit, relative"]
        said.append(
            f"Purchases: {own:.0%} of clicks are followed by one; of Hillstrom's visits {theirs_:.0%}. "
            f"Effects: recommending adds {lift:.0%} to the click, mailing {mailed:.0%} to the visit: the world's "
            f"effects are {'weaker' if lift < mailed else 'stronger'}."
        )
    if (coats := real.get("Coat")) is not None:
        gaps = [_stars_mean(s.stars["given by users"]) - _stars_mean(s.stars["all pairs"]) for s in (ours, coats)]
        said.append(
            f"Ratings: what users chose to rate has {gaps[0]:+.2f} stars against all pairs here (through "
            f"the click; the dial rating_missingness adds to it), {gaps[1]:+.2f} in Coat. Means over all pairs: "
            f"{_stars_mean(ours.stars['all pairs']):.2f} and {_stars_mean(coats.stars['all pairs']):.2f} stars."
        )
    return said


def _beside(what: str, measure: str, ours: float, theirs: float) -> str:
    word = "like" if abs(ours - theirs) < 0.1 else "more even than" if ours < theirs else "less even than"
    return f"{what}: {word} MovieLens. {measure}: {ours:.2f} here, {theirs:.2f} there."


def _fall(by_slot: Floats) -> float:
    """Mean relative change of the click rate from a slot to the next."""
    return float((by_slot[-1] / by_slot[0]) ** (1 / (len(by_slot) - 1)) - 1)


def _stars_mean(shares: Floats) -> float:
    return float(shares @ np.arange(1, 6))


# -- page


def pictures(samples: list[Sample]) -> dict[str, str]:
    """Title -> PNG in base64."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    def lorenz(ax: plt.Axes, name: str, counts: Floats) -> None:
        x = np.sort(counts)
        ax.plot(np.linspace(0, 1, len(x) + 1), np.concatenate([[0], np.cumsum(x) / x.sum()]), label=name)

    def ranks(ax: plt.Axes, name: str, counts: Floats) -> None:
        x = np.sort(counts[counts > 0])[::-1]
        ax.loglog(np.arange(1, len(x) + 1) / len(x), x / x.mean(), label=name)

    def slots(ax: plt.Axes, name: str, rates: Floats) -> None:
        ax.plot(np.arange(1, len(rates) + 1), rates / rates[0], marker="o", label=name)

    def stars(ax: plt.Axes, name: str, shares: Floats) -> None:
        ax.plot(np.arange(1, 6), shares, marker="o", label=name)

    plans: list[tuple[str, str, str, str, Callable[[plt.Axes, str, Floats], None]]] = [
        ("Popularity: Lorenz curves", "share of items", "share of counts", "per_item", lorenz),
        ("Popularity: count by rank", "rank / items", "count / mean", "per_item", ranks),
        ("User activity: count by rank", "rank / users", "count / mean", "per_user", ranks),
        ("Click rate by slot", "slot", "relative to the first", "by_slot", slots),
        ("Stars", "stars", "share", "stars", stars),
    ]
    drawn = {}
    for title, x_label, y_label, attribute, draw in plans:
        figure, ax = plt.subplots(figsize=(6.4, 4))
        for sample in samples:
            for name, values in getattr(sample, attribute).items():
                draw(ax, f"{sample.name}: {name}", values)
        ax.set(title=title, xlabel=x_label, ylabel=y_label)
        ax.legend(fontsize=7)
        figure.tight_layout()
        out = io.BytesIO()
        figure.savefig(out, format="png", dpi=110)
        plt.close(figure)
        drawn[title] = base64.b64encode(out.getvalue()).decode()
    return drawn


PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>How real is the simulated shop?</title>
<style>body{font:16px/1.5 system-ui;max-width:60rem;margin:2rem auto;padding:0 1rem}table{border-collapse:collapse}
td,th{padding:.2rem .8rem;border-bottom:1px solid #ccc;text-align:left}td.n{text-align:right}img{max-width:100%}</style>
<h1>How real is the simulated shop?</h1>
<ul>{% for s in samples %}<li><b>{{ s.name }}</b>: {{ s.about }}</li>{% endfor %}
{% for name in missing %}<li><b>{{ name }}</b>: not at hand</li>{% endfor %}</ul>
<h2>In words</h2><ul>{% for line in words %}<li>{{ line }}</li>{% endfor %}</ul>
<h2>Tails</h2><table><tr><th>counts</th><th>n</th><th>Gini</th><th>largest tenth</th><th>Zipf slope</th></tr>
{% for row in tails %}<tr><td>{{ row[0] }}</td><td class="n">{{ row[1] }}</td>{% for v in row[2:] %}
<td class="n">{{ "%.2f"|format(v) }}</td>{% endfor %}</tr>{% endfor %}</table>
<h2>Rates</h2><table>{% for row in rates %}<tr><td>{{ row[0] }}</td>
<td class="n">{{ "%.2f"|format(100 * row[1]) }} %</td></tr>{% endfor %}</table>
{% for title, png in pictures.items() %}<h2>{{ title }}</h2>
<img alt="{{ title }}" src="data:image/png;base64,{{ png }}">{% endfor %}</html>
"""


def main() -> None:
    from jinja2 import Environment

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="a folder with the published data sets")
    wheel = CHECKOUT / ".home" / "cache" / "obp-0.4.1-py3-none-any.whl"
    parser.add_argument("--obd", type=Path, default=wheel, help="the wheel of obp 0.4.1")
    parser.add_argument("--out", type=Path, default=Path("realism.html"))
    given = parser.parse_args()
    sources: list[tuple[str, Path, Callable[[Path], Sample]]] = [
        ("MovieLens", given.data / "movielens-latest-small", movielens),
        ("Coat", given.data / "coat", coat),
        ("Hillstrom", given.data / "hillstrom", hillstrom),
        ("Open Bandit", given.obd, open_bandit),
    ]
    ours = simulated()
    real = {name: read(path) for name, path, read in sources if path.exists()}
    samples = [ours, *real.values()]
    tails: list[tuple[str, int, float, float, float]] = []
    for sample in samples:
        for kind, counts in (("item", sample.per_item), ("user", sample.per_user)):
            for name, x in counts.items():
                tails.append((f"{sample.name}: {name} per {kind}", len(x), gini(x), top_share(x), zipf_slope(x)))
    rates = [(f"{s.name}: {name}", value) for s in samples for name, value in s.rates.items()]
    words = verdicts(ours, real)
    page = Environment(autoescape=True).from_string(PAGE)
    missing = [name for name, path, _ in sources if not path.exists()]
    given.out.write_text(
        page.render(samples=samples, missing=missing, words=words, tails=tails, rates=rates, pictures=pictures(samples))
    )
    for line in words:
        print(line)
    print(f"Page: {given.out}")
    print(json.dumps({"tails": tails, "rates": rates}))


if __name__ == "__main__":
    main()
