"""Rows that decide, and trials, for tests of verdict and report."""

from datetime import date

import polars as pl

from causalrec.evaluation.policy_values import SCHEMA
from causalrec.evaluation.trials.evidence import Difference, Evidence
from causalrec.evaluation.trials.look import decide_look
from causalrec.evaluation.trials.trial import Trial
from causalrec.settings.release import ReleaseRule

COLUMNS = SCHEMA | {
    "estimand": pl.String(),
    "difference_std_error": pl.Float64(),
    "clusters": pl.Int64(),
    "difference_outcomes": pl.Float64(),
    "anyway": pl.Float64(),
    "anyway_lower": pl.Float64(),
    "anyway_upper": pl.Float64(),
}
RULE = ReleaseRule.parse(
    {
        "min_effective_rounds": 100,
        "max_mean_weight_gap": 0.5,
        "max_weight_share": 0.1,
        "revenue_margin": 0.02,
        "answer_sheet": {},
    }
)
BACK = RULE.model_copy(update={"retrospective": 0.025})
"""Of logs that have ended."""


def world(satisfaction=(0.01, 0.002), revenue=(0.05, 0.03), **others):
    """Differences with their standard errors, from 10 % satisfaction and a revenue of 1 per recommendation."""
    rows = []
    for metric, base, told in (("satisfaction", 0.1, satisfaction), ("revenue", 1.0, revenue)):
        if told is not None:
            difference, error = told
            rows.append(
                {
                    "segment": "everyone",
                    "policy": "challenger",
                    "estimand": "raw",
                    "estimator": "dr",
                    "baseline": "logging policy",
                    "status": "answered",
                    "reason": "",
                    "rounds": 1000,
                    "clusters": 100_000,
                    "difference_outcomes": 150.0,
                    "first_day": date(2026, 3, 2),
                    "last_day": date(2026, 3, 5),
                    "metric": metric,
                    "estimate": base + difference,
                    "difference": difference,
                    "difference_std_error": error,
                    "difference_lower": difference - 2 * error,
                    "difference_upper": difference + 2 * error,
                    **others,
                }
            )
    return pl.DataFrame(rows, schema=COLUMNS)


def trial(*seen, **changes):
    """A trial of four weeks with a look for each (gain, standard error); None: a look that is not trusted."""
    made = Trial(date(2026, 3, 1), "0123456789abcdef", None, "raw", 0.05 * 7 / 90, 4, **changes)
    for number, told in enumerate(seen, start=1):
        made = made.after(look(made, number, told))
    return made


def look(made, number, told, rule=RULE):
    """The next look at a trial."""
    from causalrec.answers import ANSWERED, insufficient_evidence, not_available

    value, error = told or (0.01, 0.002)
    trusted = ANSWERED if told else insufficient_evidence("40 effective outcomes of the difference, 100 are asked for")
    evidence = Evidence(
        Difference(value, error, 10_000, 0.1, 1000 * number),
        trusted,
        revenue_trusted=not_available("there is no revenue to compare"),
    )
    return decide_look(number, made.days_of(number), evidence, made.looks, made.error, rule)
