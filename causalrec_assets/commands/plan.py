"""Plan trials from the lake's own variance: which gain is found in how many weeks, and what more exploration buys.

    CAUSALREC_HOME=... python -m causalrec_assets.commands.plan

It reads the newest report that compared two policies, and changes nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from causalrec.answers import Answer, InputError, not_available
from causalrec.evaluation.deciding_rows import evidence_of, headline
from causalrec.evaluation.estimands import Logs
from causalrec.evaluation.plan.lines import Seen, plan_lines, wrapped
from causalrec.evaluation.plan.logged import logged_rounds
from causalrec.evaluation.rounds import METRICS, EvaluationData, logged_propensities
from causalrec.evaluation.trials.exploration import LoggedRounds
from causalrec.home import Home
from causalrec.logs.units.held_out import without_held_out
from causalrec.logs.units.notes import UnitsNotes
from causalrec.policy.notes import LeftOutNotes, PolicyNotes
from causalrec.policy.policies import CHAMPION
from causalrec.policy.policies.judged import OF_LOGGING, SCHEMA
from causalrec.settings.file import read_setting
from causalrec.settings.learning import parse_learning
from causalrec.settings.logs.sources import Source, parse_source
from causalrec.settings.objective import Objective
from causalrec.settings.release import ReleaseRule
from causalrec_assets.decision.trial_days import drawn_by, entries_of
from causalrec_assets.lake.inputs import Table, WindowTable
from causalrec_assets.lake.releases import Champion, ReleaseLog
from causalrec_assets.lake.store import Store, open_store
from causalrec_assets.lake.windows import learning_window

TARGETS = {"trial_report": "trial_policy", "off_policy_report": "target_policy"}
"""A report that compares policies -> the table that its weights are of."""
OF_ANOTHER_RELEASE = "another release of the code published it, without the error of a difference; materialise it again"


@dataclass(frozen=True)
class Report:
    """A published comparison.

    Attributes:
        table: `trial_report` or `off_policy_report`, of `day`.
        frame: Its rows, of a trial those of its last look.
        row: The row that decides.
    """

    table: Table
    frame: pl.DataFrame
    row: dict[str, object]

    @property
    def judged(self) -> tuple[date, date]:
        first, last = self.row["first_day"], self.row["last_day"]
        assert isinstance(first, date) and isinstance(last, date)
        return first, last

    @property
    def rounds(self) -> int:
        return int(str(self.row["rounds"]))


def newest_reports(store: Store, estimand: str) -> tuple[list[Report], str]:
    """The newest comparison of each report that has one; and why `off_policy_report` of the newest day is none."""
    found, whys = list[Report](), list[str]()
    for name in TARGETS:
        for day in reversed(store.days(name)):
            pointer = store.pointer(name, day)
            if pointer is None:
                continue
            report = _comparison(Table(store, pointer), estimand)
            if isinstance(report, Report):
                found.append(report)
                break
            if name == "off_policy_report":
                whys.append(f"`{name}` of {day}: {report}")
    return found, whys[0] if whys else "no report has been published yet; materialise `off_policy_report`"


def _comparison(table: Table, estimand: str) -> Report | str:
    """A published report as what is planned from, or why it is not."""
    if not table.answer.answered:
        return table.answer.reason
    frame = table.frame
    if "look" in frame.columns:
        frame = frame.filter(pl.col("look") == pl.col("look").max())
    decides = headline(frame, estimand).filter(metric=METRICS[0])
    if "difference_std_error" not in frame.columns or (decides.is_empty() and "estimand" not in frame.columns):
        return OF_ANOTHER_RELEASE
    if decides.is_empty():
        missing = table.notes_as(LeftOutNotes).no_challenger
        return (
            missing.reason
            if missing
            else f"it has no challenger that was judged by its {estimand.replace('_', ' ')} value"
        )
    row = decides.row(0, named=True)
    if row["difference_std_error"] is None:
        return str(row["reason"] or row["decision_reason"])
    return Report(table, frame, row)


def lines(home: Home) -> Iterator[str]:
    """The plan of a home.

    Raises:
        InputError: It is no home, its settings cannot be read, or no two policies have been compared.
    """
    if not home.data.is_dir():
        raise InputError(f"there is no home at {home.root}: make one with `make demo` or `make home DIR=path`")
    source, rule = (
        parse_source(read_setting(home, "sources.yaml")),
        ReleaseRule.parse(read_setting(home, "release.yaml")),
    )
    store, estimand = open_store(home), rule.deciding_estimand(source)
    reports, why = newest_reports(store, estimand)
    if not reports:
        raise InputError(f"There is nothing to plan from in {home.root}: {why}.")
    # The more rounds, the better the variance is known.
    report = max(reports, key=lambda each: each.rounds)
    yield f"Planned from `{report.table.name}` of {report.table.day}."
    first, last = report.judged
    baseline, releases = str(report.row["baseline"]), ReleaseLog(store)
    champion_logs = baseline != CHAMPION
    if baseline != CHAMPION and releases.current() is not None:
        yield from wrapped(
            "Since then a release serves, and trials to come are held against that; plan again once a report compares "
            "with it."
        )
    try:
        data = evaluation_data(home, store, report, source)
        logged = {metric: logged_rounds(data, estimand, metric) for metric in METRICS}
        champion_logs = champion_logs or _drawn_by(releases.champion_before(report.table.day), releases, data)
    except InputError as error:
        logged = dict[str, LoggedRounds | Answer]({metric: not_available(str(error)) for metric in METRICS})
    evidence = evidence_of(report.frame, estimand)
    yield from plan_lines(Seen(evidence, estimand, first, last, baseline, champion_logs, logged), rule)


def _drawn_by(champion: Champion | None, releases: ReleaseLog, data: EvaluationData) -> bool:
    """Whether the logs say that the champion has drawn all that was judged."""
    judged = without_held_out(data.units.filter(pl.col("day").is_in(list(data.unseen_days))), data.held_out)
    return champion is not None and drawn_by(judged, entries_of(champion, releases.moves()))


def evaluation_data(home: Home, store: Store, report: Report, source: Source) -> EvaluationData:
    """What the report was made of, as it stands in the lake now.

    Raises:
        InputError: Some of it is not there any more.
    """
    day = report.table.day
    targets = _table(store, TARGETS[report.table.name], day)
    if missing := [name for name in SCHEMA if name not in {*targets.frame.columns, *OF_LOGGING}]:
        raise InputError(
            f"`{targets.name}` of {day} has no column `{missing[0]}`: another release of the code published it; "
            "materialise it again"
        )
    first, last = report.judged
    published = set(store.days("units"))
    if report.table.name == "trial_report":
        judged = days = [each for each in sorted(published) if first <= each <= last]
    else:
        learning = parse_learning(read_setting(home, "learning.yaml"), read_setting(home, "sources.yaml"))
        window = learning_window(day, learning, published)
        judged, days = list(window.judge_days), list(window.days)
    window_table = WindowTable(tuple(_table(store, "units", each) for each in days))
    units, of_units, notes = window_table.frame, window_table.notes_as(UnitsNotes), targets.notes_as(PolicyNotes)
    objective = Objective.parse(notes.objective)
    if report.table.name == "trial_report":
        propensities = logged_propensities(units)
    else:
        propensities = _table(store, "action_propensities", day).frame
    return EvaluationData(
        units,
        targets.frame.filter(pl.col("unit_id").is_in(units["unit_id"].implode())),
        propensities,
        objective.satisfying,
        objective.margin,
        of_units.cluster,
        of_units.held_out_policies,
        (),
        judged,
        Logs(source.organic_rows, source.has("request_id")),
        objective,
    )


def _table(store: Store, name: str, day: date) -> Table:
    pointer = store.pointer(name, day)
    if pointer is None:
        raise InputError(f"`{name}` of {day} is not in the lake")
    return Table(store, pointer)


def main(arguments: Sequence[str]) -> int:
    if arguments:
        print(__doc__)
        return 0 if list(arguments) in (["-h"], ["--help"]) else 2
    try:
        for line in lines(Home.current()):
            print(line)
    except InputError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
