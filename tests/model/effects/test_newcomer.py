"""An effect estimator or a strategy that one line registers appears wherever they are shown, and passes the gate."""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
import pytest
import yaml

from causalrec.answers import ANSWERED, Status
from causalrec.estimators.effects import EFFECT_ESTIMATORS, EffectData, Role
from causalrec.estimators.effects.naive import naive_difference
from causalrec.evaluation import plots
from causalrec.evaluation.effects import report
from causalrec.home import TEMPLATE
from causalrec.model.effects import STRATEGIES
from causalrec.model.effects.study import EffectResult
from causalrec.model.effects.table import SCHEMA, effect_rows
from causalrec_assets.gate.checking import audit
from causalrec_assets.gate.contracts import parse_contract
from tests.model.effects.worlds import BASE, FRONT_DOOR, INSTRUMENT, estimated, world

QUESTIONS = [BASE, FRONT_DOOR | {"question": "by_door"}, INSTRUMENT | {"question": "by_lottery"}]


@dataclass(frozen=True)
class Halved:
    """Half of the naive difference: of the role that has one already, and in need of nothing."""

    name: str = "halved"
    label: str = "half of it"
    role: Role = Role.WEIGHTED
    needs: frozenset = frozenset()

    def estimate(self, data):
        naive = naive_difference(data.outcome, data.treatment, data.clusters)
        return replace(naive, value=naive.value / 2, lower=naive.lower / 2, upper=naive.upper / 2)


def sets(*questions):
    return pl.DataFrame(questions, infer_schema_length=None)


@pytest.fixture(scope="module")
def published():
    """The tables `effects` and `effect_report` of a world, with the newcomer registered."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(EFFECT_ESTIMATORS, "halved", Halved())
        drawn, rows, diagnostics = world(1, users=100, rows=12), [], {}
        for question in QUESTIONS:
            result = estimated(drawn, question)
            rows += effect_rows(question, result)
            diagnostics[question["question"]] = result.diagnostics
        effects = pl.DataFrame(rows, schema=SCHEMA)
        yield effects, report(effects, diagnostics, sets(*QUESTIONS))


def broken(table, frame, params):
    contract = parse_contract(table, yaml.safe_load((TEMPLATE / "contracts" / f"{table}.yaml").read_text()))
    return [finding.sentence() for finding in audit(contract, frame, params).broken]


def test_it_has_a_row_per_question_and_the_contract_holds(published):
    effects, _ = published
    halved = {row["question"]: row for row in effects.filter(estimator="halved").to_dicts()}
    naive = {row["question"]: row for row in effects.filter(estimator="naive").to_dicts()}
    assert halved["q"]["estimate"] == pytest.approx(naive["q"]["estimate"] / 2)
    assert halved["by_lottery"]["status"] == Status.ANSWERED and halved["by_lottery"]["estimate"] is not None
    # The front door has no form of a second weighted estimator, and says so.
    assert (halved["by_door"]["status"], halved["by_door"]["estimate"]) == (Status.NOT_AVAILABLE, None)
    assert halved["by_door"]["reason"] == "the estimator `halved` has no form for the strategy `front_door`"
    given = {"rows": len(EFFECT_ESTIMATORS) * len(QUESTIONS), "estimators": list(EFFECT_ESTIMATORS)}
    assert broken("effects", effects, given) == []
    unregistered = given | {"estimators": [name for name in EFFECT_ESTIMATORS if name != "halved"]}
    assert len(broken("effects", effects, unregistered)) == 1


def test_the_report_shows_it_beside_the_others_and_its_contract_holds(published):
    effects, shown = published
    row = shown.row(0, named=True)
    assert row["halved"] == effects.filter(estimator="halved")["estimate"][0]
    assert row["halved_lower"] < row["halved"] < row["halved_upper"]
    assert row["causal"] == effects.filter(estimator="aipw")["estimate"][0]
    assert broken("effect_report", shown, {"questions": len(QUESTIONS)}) == []


def test_the_plot_draws_it_where_it_has_an_estimate(published, monkeypatch):
    drawn = []
    monkeypatch.setattr(plots, "_forest", lambda groups, *_, **__: drawn.extend(groups))
    plots.effects_plot(published[1])
    labels = ["naive difference", "SNIPS", "causal (AIPW)", "half of it"]
    assert [[mark[0] for mark in marks] for _, marks in drawn] == [labels, labels[:3], labels]


def test_a_report_of_a_table_from_before_it_shows_no_number_of_it(published):
    effects, shown = published
    before = effects.filter(pl.col("estimator") != "halved", question="q")
    row = report(before, {"q": {"mean_if_not": 0.2}}, sets(BASE)).row(0, named=True)
    assert row["halved"] is None and row["causal"] == shown["causal"][0]


class Randomised:
    """Arms that were drawn by a coin: every estimator at the share of the treated."""

    name = "randomised"
    adjusts = False

    def reads(self, question):
        return ["z"]

    def estimand(self, question):
        return f"among the units of the experiment on `{question['treatment']}`"

    def assumptions(self, question):
        return "A coin decided the arm"

    def estimate(self, study):
        t, y = study.treatment(), study.outcome()
        share, mean = (np.full(len(x), x.mean()) for x in (t, y))
        data = EffectData(y, t, study.clusters, share, (mean, mean))
        return EffectResult(ANSWERED, {one.name: one.estimate(data) for one in study.estimators}, {"coins": 1})


def test_a_strategy_answers_its_questions_and_the_report_says_whose_effect_and_what_it_rests_on(monkeypatch):
    monkeypatch.setitem(STRATEGIES, "randomised", Randomised())
    question, drawn = BASE | {"strategy": "randomised", "columns": []}, world(2, users=40)
    result = estimated(drawn, question)
    assert result.answer.answered and result.diagnostics == {"strategy": "randomised", "coins": 1}
    effects = pl.DataFrame(effect_rows(question, result), schema=SCHEMA)
    row = report(effects, {"q": result.diagnostics}, sets(question)).row(0, named=True)
    assert "), among the units of the experiment on `t`; the naive" in row["verdict"]
    assert "A coin decided the arm. The graph" in row["assumptions"]
    assert row["e_value"] is None
    gone = replace(drawn, units=drawn.units.with_columns(z=pl.lit(None, pl.Int8)))
    assert "`z` is missing" in estimated(gone, question).answer.reason
