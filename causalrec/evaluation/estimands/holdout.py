"""What the whole recommender adds, from a random share of requests that go without recommendations."""

from __future__ import annotations

import numpy as np
import polars as pl

from causalrec.answers import Answer, Status, insufficient_evidence, not_available
from causalrec.estimators.intervals import Estimate, TooFewClusters, from_influence
from causalrec.logs.clusters import cluster_codes

NOT_DECLARED = not_available(
    "no random share of requests goes without recommendations; a holdout, declared in sources.yaml, would tell"
)
NOT_COUNTED = not_available(
    "a request of the holdout in which nothing happened has no row unless every organic impression of each request is "
    "logged, and cannot be counted (sources.yaml: organic_rows: every_impression, and request_id)"
)


def recommender_adds(
    units: pl.DataFrame, holdout: str, outcome: str, cluster: str, every_impression: bool
) -> Estimate | Answer:
    """Outcomes per request with recommendations less those of the holdout.

    mean over the other requests - mean over the holdout's

    Args:
        units: Of the days that are judged: request_id, policy (of the holdout on its organic rows), the outcome, and
            what `cluster_codes` reads.
        holdout: The name of its policy; empty: there is none.
        outcome: The satisfying outcome's column.
        cluster: What intervals are clustered by.
        every_impression: Whether every organic impression of each known request is logged.

    Returns:
        Outcomes a request, with a clustered 95 % interval; or why it is not told.

    Source:
        The difference of two means of a randomised experiment; its influence values are those of two ratios of the
        clusters' sums.

    Not for:
        A share that was not drawn at random.
    """
    if not holdout:
        return NOT_DECLARED
    if not every_impression:
        return NOT_COUNTED
    rows = units.drop_nulls("request_id")
    keys = [name for name in dict.fromkeys((cluster, "time")) if name in rows.columns and name != "request_id"]
    requests = rows.group_by("request_id", maintain_order=True).agg(
        (pl.col("policy") == holdout).any().fill_null(False).alias("without"),
        pl.col(outcome).sum().cast(pl.Float64).alias("outcomes"),
        pl.col(outcome).null_count().alias("unknown"),
        *(pl.col(name).first() for name in keys),
    )
    if unknown := requests.filter(pl.col("unknown") > 0).height:
        return not_available(f"{unknown:,} of {requests.height:,} requests have a row whose {outcome} is not known")
    without, outcomes = requests["without"].to_numpy(), requests["outcomes"].to_numpy()
    if not without.any() or without.all():
        return not_available(
            f"of {requests.height:,} requests {int(without.sum()):,} are of the holdout `{holdout}` (sources.yaml: "
            "holdout); both kinds are needed on the judged days"
        )
    influence = np.zeros(len(outcomes))
    means = []
    for which, sign in ((~without, 1.0), (without, -1.0)):
        mean = float(outcomes[which].mean())
        influence[which] = sign * (outcomes[which] - mean) / which.mean()
        means.append(mean)
    try:
        return from_influence(means[0] - means[1], influence, cluster_codes(requests, cluster))
    except TooFewClusters as error:
        return insufficient_evidence(f"{error} ({cluster}); log more days")


def adds_words(found: Estimate | Answer, outcome: str) -> Answer:
    """What the recommender adds, in words for people: the reason of an answer."""
    if isinstance(found, Answer):
        return found
    return Answer(
        Status.ANSWERED,
        f"{found.value:+.4f} {outcome}s a request ({found.lower:+.4f} to {found.upper:+.4f}), against a random share "
        f"of requests without recommendations; {found.rows:,} requests",
    )
