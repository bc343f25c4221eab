"""A plan in words and small tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from causalrec.answers import Answer, Status
from causalrec.estimators.intervals import TooFewClusters
from causalrec.evaluation.trials.evidence import Difference, Evidence
from causalrec.evaluation.trials.exploration import LoggedRounds, at_random, deviation_with
from causalrec.evaluation.trials.planning import (
    POWER,
    Asked,
    Size,
    gain_found,
    rounds_needed,
    rounds_to_rule_out,
    sizes,
    weeks_needed,
)
from causalrec.settings.release import DAYS_A_LOOK, ReleaseRule

POWERS = (POWER, 0.95)
GAINS = (0.01, 0.02, 0.05, 0.1)
WEEKS = (1, 2, 4, 8, 12)
MORE = (0.02, 0.05, 0.1, 0.2)
REFERENCE = 0.05
"""The gain by which exploration is priced."""


@dataclass(frozen=True)
class Seen:
    """What a plan starts from.

    Attributes:
        evidence: The differences of a report.
        estimand: Which value decides.
        first_day, last_day: The days that were judged.
        champion_logs: Whether the policy that the challenger is held against made the logs.
        logged: Per metric the rounds themselves, or why they cannot be told.
    """

    evidence: Evidence
    estimand: str
    first_day: date
    last_day: date
    champion_logs: bool
    logged: Mapping[str, LoggedRounds | Answer]

    def rounds_a_week(self, rounds: int) -> float:
        return rounds / ((self.last_day - self.first_day).days + 1) * DAYS_A_LOOK


def plan_lines(seen: Seen, rule: ReleaseRule) -> Iterator[str]:
    """The whole plan.

    Args:
        rule: Of the home; where it looks back once, the plan is of trials with its other terms.
    """
    evidence = seen.evidence
    if evidence.satisfaction is None or not evidence.satisfaction.std_error > 0:
        why = evidence.trusted.reason or "the two policies never differ"
        yield f"There is no variance to plan from: {why}."
        return
    if rule.retrospective is not None:
        yield (
            "These logs are judged in one look back (release.yaml: retrospective); the plan is of trials, on logs that "
            "go on at the same pace."
        )
    if not evidence.trusted.answered:
        yield f"Take it as a rough guide, for a decision could not be read from these days: {evidence.trusted.reason}."
    satisfaction, weekly = evidence.satisfaction, seen.rounds_a_week(evidence.satisfaction.rounds)
    asked = Asked.of(rule, satisfaction.base, seen.champion_logs)
    against = "the logging policy" if seen.champion_logs else "the champion"
    yield (
        f"{satisfaction.rounds:,} judged rounds on {seen.first_day} to {seen.last_day}, {weekly:,.0f} a week. "
        f"{seen.estimand.replace('_', ' ').capitalize()} decides, held against {against}; up to {rule.trial_weeks} "
        f"weekly looks, each with a one-sided error of {asked.error:.2%}; at least {rule.min_gain:.1%} more is asked."
    )
    yield ""
    yield from _satisfaction(satisfaction, weekly, asked, rule)
    yield ""
    yield from _revenue(evidence, weekly, asked, rule)
    yield ""
    yield from _exploration(seen, satisfaction, weekly, asked, rule)


def deviation(difference: Difference) -> float:
    """sigma, of one round's score: its standard error times the root of the rounds, clusters and all."""
    return float(difference.std_error * difference.rounds**0.5)


def _satisfaction(seen: Difference, weekly: float, asked: Asked, rule: ReleaseRule) -> Iterator[str]:
    sigma = deviation(seen)
    yield (
        f"Satisfaction: {seen.base:.4f} in a slot itself now; one round's difference has a standard "
        f"deviation of {sigma:.4f}."
    )
    yield from _table(
        ["weeks of the trial", "rounds", *(f"gain found with {power:.0%}" for power in POWERS)],
        [
            [f"{each.weeks}", f"{each.rounds:,.0f}", *(_share(gain, seen.base) for gain in each.gains)]
            for each in _lengths(weekly, sigma, asked, rule)
        ],
    )
    yield ""
    most = rule.per_days // DAYS_A_LOOK
    rows = []
    for gain in GAINS:
        cells = []
        for power in POWERS:
            rounds = rounds_needed(gain * abs(seen.base), sigma, rule.trial_weeks, asked, power)
            weeks = weeks_needed(gain * abs(seen.base), sigma, weekly, most, asked, power)
            if rounds == float("inf"):
                cells += ["never", f"less than {rule.min_gain:.1%} is asked"]
            else:
                cells += [f"{rounds:,.0f}", f"{weeks}" if weeks else f"more than {most}"]
        rows.append([f"{gain:.0%}", *cells])
    heads = [word for power in POWERS for word in (f"rounds for {power:.0%}", "weeks at this pace")]
    yield from _table(["a true gain of", *heads], rows)
    if seen.base == 0:
        yield "Nothing satisfies now, so a gain has no share."


def _revenue(evidence: Evidence, weekly: float, asked: Asked, rule: ReleaseRule) -> Iterator[str]:
    if evidence.revenue_trusted.status is Status.NOT_AVAILABLE:
        yield f"Revenue: not planned, {evidence.revenue_trusted.reason}."
        return
    seen = evidence.revenue
    if seen is None or not seen.std_error > 0:
        yield f"Revenue: not planned, its difference cannot be told: {evidence.revenue_trusted.reason}."
        return
    sigma, margin = deviation(seen), rule.revenue_margin * abs(seen.base)
    yield (
        f"Revenue: {seen.base:.4f} in a slot itself now; one round's difference has a standard deviation of "
        f"{sigma:.4f}. "
        f"Asked is {rule.revenue} (release.yaml: revenue). Of a policy that earns just as much, by the last look:"
    )
    yield from _table(
        ["weeks of the trial", "rounds", *(f"loss ruled out with {power:.0%}" for power in POWERS)],
        [
            [f"{each.weeks}", f"{each.rounds:,.0f}", *(_share(-loss, seen.base) for loss in each.losses)]
            for each in _lengths(weekly, sigma, asked, rule)
        ],
    )
    if margin <= 0:
        yield f"No loss is allowed at all (release.yaml: revenue_margin {rule.revenue_margin:g}), which no trial shows."
        return
    for power in POWERS:
        rounds = rounds_to_rule_out(margin, sigma, rule.trial_weeks, asked.error, power)
        yield (
            f"To rule out a loss of more than {rule.revenue_margin:.0%} with {power:.0%} takes {rounds:,.0f} rounds, "
            f"{rounds / weekly:,.1f} weeks at this pace."
        )


def _exploration(seen: Seen, found: Difference, weekly: float, asked: Asked, rule: ReleaseRule) -> Iterator[str]:
    logged, sigma = seen.logged["satisfaction"], deviation(found)
    if isinstance(logged, Answer):
        yield f"What more exploration would buy is not told: {logged.reason}."
        return
    money, earned = seen.logged.get("revenue"), seen.evidence.revenue
    if (
        not isinstance(money, LoggedRounds)
        or earned is None
        or not earned.std_error * rule.revenue_margin * earned.base
    ):
        money = earned = None
    try:
        lost, lost_money = at_random(logged), at_random(money) if money else None
    except TooFewClusters as error:
        yield f"What more exploration would buy is not told: {error}."
        return
    yield (
        f"More exploration: in so many more rounds one of the slot's candidates (in the mean "
        f"{logged.candidates.mean():,.0f}) is drawn at random. A round that is drawn so brings {lost.value:+.4f} "
        f"satisfying outcomes (95 % interval {lost.lower:+.4f} to {lost.upper:+.4f}) beside the "
        f"{logged.rounds.reward.mean():.4f} that a logged one brings."
    )
    weeks, gain, rows = rule.trial_weeks, REFERENCE * abs(found.base), []
    for more in (0.0, *MORE):
        then = deviation_with(logged, sigma, more)
        row = [
            f"{more:.0%}",
            f"{then / sigma:.2f}",
            _share(gain_found(then / (weekly * weeks) ** 0.5, weeks, asked), found.base),
            _rounds(rounds_needed(gain, then, weeks, asked)),
        ]
        costs = f"{more * weekly * lost.value:+,.0f} outcomes"
        if money and earned and lost_money:
            margin, spread = rule.revenue_margin * abs(earned.base), deviation_with(money, deviation(earned), more)
            row.append(_rounds(rounds_to_rule_out(margin, spread, weeks, asked.error)))
            costs += f", {more * weekly * lost_money.value:+,.0f} revenue"
        rows.append([*row, costs if more else "as now"])
    heads = ["more", "standard error", f"gain found in {weeks} weeks", f"rounds for a gain of {REFERENCE:.0%}"]
    heads += [f"rounds that rule out a loss of {rule.revenue_margin:.0%}"] if money else []
    yield from _table([*heads, "changes a week"], rows)
    yield (
        f"With a chance of {POWER:.0%} each; the standard error is a share of today's. Each slot is drawn "
        "anew, and the others as they were logged."
    )


def _lengths(weekly: float, sigma: float, asked: Asked, rule: ReleaseRule) -> Sequence[Size]:
    weeks = sorted({rule.trial_weeks, *(w for w in WEEKS if w * DAYS_A_LOOK <= rule.per_days)})
    return sizes(weeks, weekly, sigma, asked, POWERS)


def _share(amount: float, base: float) -> str:
    return f"{amount / abs(base):+.1%} ({amount:+.4f})" if base else f"{amount:+.4f}"


def _rounds(rounds: float) -> str:
    return "never" if rounds == float("inf") else f"{rounds:,.0f}"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Columns as wide as their widest cell."""
    widths = [max(len(cells[k]) for cells in (heads, *rows)) for k in range(len(heads))]
    for cells in (heads, *rows):
        yield "  " + "  ".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
