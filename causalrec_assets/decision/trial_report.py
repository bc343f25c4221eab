"""The asset `trial_report`: the looks at the trial that are due, and what each decides."""

from dataclasses import replace

import dagster as dg
import polars as pl

from causalrec.evaluation.deciding_rows import evidence_of
from causalrec.evaluation.estimands import ESTIMANDS, Logs
from causalrec.evaluation.plots import trial_plot
from causalrec.evaluation.policy_values import SCHEMA, bounded_row_names, report, row_names
from causalrec.evaluation.rounds import EvaluationData, logged_propensities
from causalrec.evaluation.trials.look import decide_look
from causalrec.evaluation.trials.trial import Look
from causalrec.logs.units.held_out import without_held_out
from causalrec.logs.units.notes import UnitsNotes
from causalrec.policy.notes import PolicyNotes
from causalrec.settings.file import read_setting
from causalrec.settings.learning import parse_learning
from causalrec.settings.logs.sources import parse_source
from causalrec.settings.objective import Objective
from causalrec.settings.release import ReleaseRule
from causalrec_assets.common.gated import gated_asset
from causalrec_assets.common.partitions import learning_window_mapping
from causalrec_assets.common.ui import picture, table
from causalrec_assets.decision.trial_days import TrialDay, error_of_look, trial_day
from causalrec_assets.gate.draft import Draft
from causalrec_assets.lake.inputs import Inputs, Table
from causalrec_assets.lake.windows import learning_window
from resources.lake import Lake


@gated_asset(
    "trial_report",
    group_name="evaluation",
    deps=["trial_policy", dg.AssetDep("units", partition_mapping=learning_window_mapping)],
)
def trial_report(context: dg.AssetExecutionContext, lake: Lake) -> Draft:
    """The trial's value against the champion's at each look that is due, and what the look decides."""
    inputs = lake.inputs(context)
    found = trial_day(inputs, parse_source(inputs.setting("sources.yaml")))
    targets = inputs.table("trial_policy")
    trials = [found.recorded.trial.challenger] if found.recorded else []
    names = {
        "estimators": row_names(),
        "bounded_estimators": bounded_row_names(),
        "trials": trials,
        "estimands": list(ESTIMANDS),
    }
    if found.recorded is None or not found.due:
        return Draft(
            inputs, None, answer=found.answer, notes=found.notes(), params=names, metadata={"trial": found.words}
        )
    frames, looks = [], list[Look]()
    rule, trial = ReleaseRule.parse(found.recorded.rule), found.recorded.trial
    for number in found.due:
        if looks and looks[-1].decision.ends:
            break
        frame, error = _values(inputs, found, number, targets, rule)
        frames.append(frame)
        evidence = evidence_of(frame, trial.estimand)
        if not targets.answer.answered:
            evidence = replace(evidence, trusted=targets.answer)
        look = decide_look(number, trial.days_of(number), evidence, [*trial.looks, *looks], error, rule)
        looks.append(look)
    drawn = trial_plot([*trial.looks, *looks], trial.weeks)
    told = [f"look {look.number}: {look.decision.value}. {look.reason}" for look in looks]
    return Draft(
        inputs,
        pl.concat(frames),
        notes=replace(found.notes(), looks=tuple(looks)),
        params=names,
        metadata={
            "trial": found.words,
            "looks": "\n".join(told),
            **({} if drawn is None else {"gain": picture(drawn)}),
            "values": table(pl.concat(frames).select("look", "policy", "estimand", "metric", "difference", "status")),
        },
    )


def _values(
    inputs: Inputs, found: TrialDay, number: int, targets: Table, rule: ReleaseRule
) -> tuple[pl.DataFrame, float]:
    """The rows of the off-policy report on exactly the days of one look, and the look's error."""
    assert found.recorded is not None
    trial = found.recorded.trial
    of_trial = [pl.lit(trial.challenger).alias("trial"), pl.lit(number, pl.Int64).alias("look")]
    if not targets.answer.answered:
        return pl.DataFrame(schema=SCHEMA).select(*of_trial, pl.all()), trial.error
    published = set(inputs.store.days("units"))
    days = [day for day in trial.days_of(number) if day in published]
    source = parse_source(inputs.setting("sources.yaml"))
    # What is expected of the rest of a request is counted before the enrolment, as how often items are met.
    settings = parse_learning(read_setting(inputs.home, "learning.yaml"), read_setting(inputs.home, "sources.yaml"))
    before = [day for day in learning_window(trial.opened, settings, published).days if day in published]
    window, notes = inputs.window("units", [*before, *days]), targets.notes_as(PolicyNotes)
    objective, of_units, units = Objective.parse(notes.objective), window.notes_as(UnitsNotes), window.frame
    judged = units.filter(pl.col("day").is_in(days))
    data = EvaluationData(
        units,
        targets.frame.filter(pl.col("unit_id").is_in(judged["unit_id"].implode())),
        logged_propensities(judged),
        objective.satisfying,
        objective.margin,
        of_units.cluster,
        of_units.held_out_policies,
        notes.report_by,
        days,
        Logs(source.organic_rows, source.has("request_id")),
        objective,
    )
    error = error_of_look(inputs, trial, rule, without_held_out(judged, of_units.held_out_policies))
    return report(data, rule).select(*of_trial, pl.all()), error
