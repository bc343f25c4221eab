"""The shop's items: believable titles and descriptions whose words carry part of the latent quality."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from causalrec.arrays import Floats, Ints

NOUNS: dict[str, tuple[str, ...]] = {
    "kitchen": (
        "chef's knife",
        "cast-iron pan",
        "salad bowl",
        "pepper mill",
        "tea kettle",
        "cutting board",
        "bread tin",
    ),
    "garden": (
        "watering can",
        "pruning shears",
        "seed tray",
        "hammock",
        "bird feeder",
        "plant stand",
        "garden hose",
    ),
    "reading": (
        "crime novel",
        "travel guide",
        "poetry collection",
        "cookbook",
        "biography",
        "atlas",
        "comic",
    ),
    "sport": (
        "yoga mat",
        "running belt",
        "jump rope",
        "climbing bag",
        "tennis racket",
        "swim goggles",
        "foam roller",
    ),
    "audio": (
        "headphones",
        "record player",
        "portable speaker",
        "microphone",
        "radio",
        "amplifier",
        "soundbar",
    ),
    "clothing": (
        "wool sweater",
        "rain jacket",
        "linen shirt",
        "denim trousers",
        "scarf",
        "leather belt",
        "hiking socks",
    ),
    "toys": (
        "wooden train",
        "puzzle",
        "building blocks",
        "kite",
        "board game",
        "plush bear",
        "marble run",
    ),
    "office": (
        "desk lamp",
        "notebook",
        "fountain pen",
        "monitor stand",
        "paper tray",
        "office chair",
        "pin board",
    ),
    "bath": (
        "bath towel",
        "soap dish",
        "shower caddy",
        "bathrobe",
        "mirror",
        "laundry basket",
        "hand cream",
    ),
    "travel": (
        "backpack",
        "suitcase",
        "neck pillow",
        "travel mug",
        "passport holder",
        "packing cubes",
        "umbrella",
    ),
}
APPEAL: dict[str, float] = {
    # What a word says of the item, in logits of the click probability.
    "award-winning": 0.75,
    "handmade": 0.55,
    "best-selling": 0.6,
    "timeless": 0.35,
    "elegant": 0.4,
    "sturdy": 0.25,
    "classic": 0.1,
    "compact": 0.05,
    "colourful": 0.0,
    "simple": -0.1,
    "plain": -0.3,
    "basic": -0.4,
    "second-hand": -0.55,
    "scratched": -0.85,
    "discontinued": -0.65,
    "unbranded": -0.45,
}
PRAISE: tuple[tuple[str, float], ...] = (
    ("Reviewers love it and so does our team.", 0.35),
    ("Made to last, with a ten-year guarantee.", 0.25),
    ("A reliable choice for every day.", 0.05),
    ("Does what it should, no more.", -0.15),
    ("Sold as seen, without returns.", -0.4),
)


@dataclass(frozen=True)
class Catalogue:
    """Items in the order of their index.

    Attributes:
        quality: Latent appeal in logits, (items,): what the words say plus what they do not.
        price: In currency units, (items,).
        category: Index into `categories`, (items,).
        age_days: On the first day, (items,); below 0: published that many days later.
    """

    item_id: list[str]
    title: list[str]
    description: list[str]
    categories: list[str]
    category: Ints
    price: Floats
    quality: Floats
    age_days: Ints


def draw_catalogue(items: int, rng: np.random.Generator) -> Catalogue:
    """Draw the items; every title is different."""
    categories = list(NOUNS)
    category = np.arange(items) % len(categories)
    words = list(APPEAL)
    seen: dict[str, int] = {}
    titles, descriptions, quality = [], [], np.empty(items)
    for i in range(items):
        name = categories[category[i]]
        noun = NOUNS[name][rng.integers(len(NOUNS[name]))]
        first, second = rng.choice(len(words), size=2, replace=False)
        sentence, praise = PRAISE[rng.integers(len(PRAISE))]
        title = f"{words[first].capitalize()}, {words[second]} {noun}"
        seen[title] = seen.get(title, 0) + 1
        titles.append(title if seen[title] == 1 else f"{title}, model {seen[title]}")
        descriptions.append(f"A {words[first]} {noun} for {name}, {words[second]} in style. {sentence}")
        quality[i] = APPEAL[words[first]] + APPEAL[words[second]] + praise + rng.normal(0.0, 0.25)
    level = rng.normal(3.0, 0.4, size=len(categories))
    spread = rng.normal(0.0, 0.4, size=items)
    price = np.round(np.exp(level[category] + spread), 2).astype(np.float64)
    return Catalogue(
        [f"item-{i:04d}" for i in range(items)],
        titles,
        descriptions,
        categories,
        category,
        price,
        quality - quality.mean(),
        rng.integers(30, 900, size=items),
    )
