"""A plan in words and small tables."""

from __future__ import annotations

import textwrap
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
from causalrec.evaluation.values.question import LOGGING_POLICY
from causalrec.settings.release import DAYS_A_LOOK, ReleaseRule

POWERS = (POWER, 0.95)
GAINS = (0.01, 0.02, 0.05, 0.1)
WEEKS = (1, 2, 4, 8, 12)
MORE = (0.02, 0.05, 0.1, 0.2)
REFERENCE = 0.05
"""The gain by which exploration is priced."""
WIDTH = 100
"""Columns of a terminal."""
LESS = 0.995
"""Of today's standard error: more would be no gain to speak of."""


@dataclass(frozen=True)
class Seen:
    """What a plan starts from.

    Attributes:
        evidence: The differences of a report.
        estimand: Which value decides.
        first_day, last_day: The days that were judged.
        baseline: What the challenger is held against.
        champion_logs: Whether that made the logs.
        logged: Per metric the rounds themselves, or why they cannot be told.
    """

    evidence: Evidence
    estimand: str
    first_day: date
    last_day: date
    baseline: str
    champion_logs: bool
    logged: Mapping[str, LoggedRounds | Answer]

    def rounds_a_week(self, rounds: int) -> float:
        return rounds / ((self.last_day - self.first_day).days + 1) * DAYS_A_LOOK


def plan_lines(seen: Seen, rule: ReleaseRule) -> Iterator[str]:
    """The whole plan, sentences and tables, in lines of at most `WIDTH` columns.

    Args:
        rule: Of the home; where it looks back once, the plan is of trials with its other terms.
    """
    for line in _plan(seen, rule):
        # The lines of tables are indented.
        yield from [line] if line.startswith(" ") or not line else wrapped(line)


def wrapped(sentences: str) -> list[str]:
    """Lines of at most `WIDTH` columns."""
    return textwrap.wrap(sentences, WIDTH, break_on_hyphens=False)


def _plan(seen: Seen, rule: ReleaseRule) -> Iterator[str]:
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
    yield (
        f"{satisfaction.rounds:,} judged rounds on {seen.first_day} to {seen.last_day}, {weekly:,.0f} a week. "
        f"{seen.estimand.replace('_', ' ').capitalize()} decides, held against the {seen.baseline}; up to "
        f"{rule.trial_weeks} weekly looks, each with a one-sided error of {asked.error:.2%}; at least "
        f"{rule.min_gain:.1%} more is asked."
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
        f"Satisfaction: a slot itself brings {seen.base:.4f} now, which gains are shares of; one round's difference "
        f"has a standard deviation of {sigma:.4f}. A gain is found where one of the looks releases; revenue is taken "
        "to pass."
    )
    yield from _table(
        ["weeks of\nthe trial", "rounds", *(f"gain found\nwith {power:.0%}" for power in POWERS)],
        [
            [f"{each.weeks}", f"{each.rounds:,.0f}", *(_share(gain, seen.base) for gain in each.gains)]
            for each in _lengths(weekly, sigma, asked, rule)
        ],
    )
    yield ""
    most = rule.per_days // DAYS_A_LOOK
    rows, rounds = [], dict[tuple[float, float], float]()
    for gain in GAINS:
        cells = []
        for power in POWERS:
            true = gain * abs(seen.base)
            rounds[gain, power] = rounds_needed(true, sigma, rule.trial_weeks, asked, power)
            weeks = weeks_needed(true, sigma, weekly, most, asked, power)
            longer = "never" if rounds[gain, power] == float("inf") else f"more than {most}"
            cells += [_rounds(rounds[gain, power]), f"{weeks}" if weeks else longer]
        rows.append([f"{gain:.0%}", *cells])
    heads = [word for power in POWERS for word in (f"rounds\nfor {power:.0%}", "weeks at\nthis pace")]
    yield from _table(["a true\ngain of", *heads], rows)
    if float("inf") in rounds.values():
        yield (
            f"Never: a release asks for an estimate of at least {rule.min_gain:.1%} (release.yaml: min_gain), and a "
            "true gain of no more is estimated lower at least half the time."
        )
    if any(f"more than {most}" in row for row in rows):
        yield f"A trial lasts {most} weeks at most (release.yaml: per_days {rule.per_days})."
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
        f"Revenue: a slot itself brings {seen.base:.4f} now; one round's difference has a standard deviation of "
        f"{sigma:.4f}. "
        f"Asked is {rule.revenue} (release.yaml: revenue). Of a policy that earns just as much, by the last look:"
    )
    yield from _table(
        ["weeks of\nthe trial", "rounds", *(f"loss ruled out\nwith {power:.0%}" for power in POWERS)],
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
            f"To rule out a loss of more than {rule.revenue_margin:.0%} with {power:.0%} takes {_rounds(rounds)} "
            f"rounds, {_rounds(rounds / weekly)} weeks at this pace."
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
    errors = {more: deviation_with(logged, sigma, more) / sigma for more in (0.0, *MORE)}
    if min(errors.values()) <= 0:
        # A report's variance is at least that of its rounds, but for what hangs together in a cluster.
        yield (
            "What more exploration would buy is not told: the rounds in the lake are not those of this report, for "
            "theirs vary by more; materialise it again."
        )
        return
    yield (
        f"More exploration: in so many more rounds one of the slot's candidates (in the mean "
        f"{logged.candidates.mean():,.0f}) is drawn at random. Such a round brings {lost.value:+.4f} outcomes (95 % "
        f"interval {lost.lower:+.4f} to {lost.upper:+.4f}) beside the {logged.rounds.reward.mean():.4f} of a logged "
        f"one, counted as the value that decides counts them ({seen.estimand.replace('_', ' ')})."
    )
    weeks, gain, rows = rule.trial_weeks, REFERENCE * abs(found.base), []
    for more, wide in errors.items():
        row = [
            f"{more:.0%}" if more else "as now",
            f"{wide:.2f}",
            _share(gain_found(wide * sigma / (weekly * weeks) ** 0.5, weeks, asked), found.base),
            _rounds(rounds_needed(gain, wide * sigma, weeks, asked)),
            f"{more * weekly * lost.value:+,.0f}" if more else "",
        ]
        if money and earned and lost_money:
            margin, spread = rule.revenue_margin * abs(earned.base), deviation_with(money, deviation(earned), more)
            row.append(_rounds(rounds_to_rule_out(margin, spread, weeks, asked.error)))
            row.append(f"{more * weekly * lost_money.value:+,.0f}" if more else "")
        rows.append(row)
    heads = ["more", "standard\nerror", f"gain found\nin {weeks} weeks", f"rounds for a\ngain of {REFERENCE:.0%}"]
    heads += ["outcomes\na week"]
    heads += [f"rounds to rule out\na loss of {rule.revenue_margin:.0%}", "revenue\na week"] if money else []
    yield from _table(heads, rows)
    yield (
        f"With a chance of {POWER:.0%} each; the standard error is a share of today's. Each slot is drawn "
        "anew, and the others as they were logged."
    )
    if min(errors.values()) >= LESS:
        of_logs = "it is with logs that would themselves explore more, and " if seen.baseline == LOGGING_POLICY else ""
        yield (
            f"It would make this comparison no surer: {of_logs}the policies that are judged show little that the logs "
            "rarely show."
        )


def _lengths(weekly: float, sigma: float, asked: Asked, rule: ReleaseRule) -> Sequence[Size]:
    weeks = sorted({rule.trial_weeks, *(w for w in WEEKS if w * DAYS_A_LOOK <= rule.per_days)})
    return sizes(weeks, weekly, sigma, asked, POWERS)


def _share(amount: float, base: float) -> str:
    return f"{amount / abs(base):+.1%} ({amount:+.4f})" if base else f"{amount:+.4f}"


def _rounds(count: float) -> str:
    """Three digits: no more is known of what is planned."""
    if count == float("inf"):
        return "never"
    return f"{float(f'{count:.3g}'):,.0f}" if count >= 100 else f"{count:.3g}"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Columns as wide as their widest cell; heads may have two lines."""
    stacked = [head.rpartition("\n")[::2] for head in heads]
    table = [*(list(each) for each in zip(*stacked, strict=True)), *rows]
    widths = [max(len(cells[k]) for cells in table) for k in range(len(heads))]
    for cells in table:
        padded = (f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
        yield f"  {'  '.join(padded)}".rstrip()
