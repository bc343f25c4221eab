"""`make plan` on a home: read from what is published, and said where nothing is."""

import pytest

from causalrec_assets.commands import plan
from causalrec_assets.commands.home import create_home


def test_a_home_without_a_report_says_what_to_materialise(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CAUSALREC_HOME", str(create_home(tmp_path / "home").root))
    assert plan.main([]) == 1
    said = capsys.readouterr()
    assert said.out == "" and "no report has been published yet; materialise `off_policy_report`" in said.err


@pytest.mark.parametrize(("arguments", "status"), [(["--help"], 0), (["x"], 2)])
def test_it_takes_no_arguments(arguments, status, capsys):
    assert plan.main(arguments) == status
    assert "python -m causalrec_assets.commands.plan" in capsys.readouterr().out


@pytest.mark.dagster
def test_a_built_home_is_planned_from_its_newest_report(built, monkeypatch, capsys):
    monkeypatch.setenv("CAUSALREC_HOME", str(built.root))
    assert plan.main([]) == 0
    said = capsys.readouterr().out
    assert said.startswith("Planned from `off_policy_report` of ")
    assert "gain found with 80%" in said and "More exploration:" in said
