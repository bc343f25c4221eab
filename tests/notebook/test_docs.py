"""The notebook of the docs runs, and says what the page says."""

import re

import causalrec as cr
from causalrec.evaluation.estimands import ESTIMANDS
from causalrec.home import CHECKOUT


def test_the_page_runs_from_top_to_bottom(capsys):
    blocks = re.findall(r"```python\n(.*?)```", (CHECKOUT / "docs" / "notebook.md").read_text(), re.DOTALL)
    names = {}
    for block in blocks:
        exec(block, names)
    assert len(blocks) == 3
    assert names["question"].answer.status is cr.Status.ANSWERED
    assert names["estimator"].interval_[0] < names["estimator"].effect_ < names["estimator"].interval_[1]
    printed = capsys.readouterr().out
    assert "answered back_door" in printed
    assert all(f"{kind}(folds=3" in printed for kind in ("NaiveDifference", "SNIPS", "AIPW"))
    assert set(cr.policy_value(names["rounds"])["status"]) == {cr.Status.ANSWERED}
    status = dict(names["told"].select("estimand", "status").iter_rows())
    beyond = {"whole_slate", "later_days"}
    assert {name for name, said in status.items() if said == cr.Status.ANSWERED} == set(ESTIMANDS) - beyond
    assert {status[name] for name in beyond} == {cr.Status.NOT_AVAILABLE}
