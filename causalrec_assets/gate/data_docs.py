"""Pages for people: what a contract expects of a table's day, in sentences, and what was found.

Great Expectations renders the results (`ValidationResultsPageRenderer`); the page around them is ours, because its own
fetches styles and scripts from seven hosts, which an air-gapped deployment cannot and a private one should not.
"""

from __future__ import annotations

import copy
import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from causalrec.escaping import html as escape
from causalrec.home import Home
from causalrec_assets.gate.checking import Audit, Finding
from causalrec_assets.gate.contracts import Contract

FOLDER = "data_docs"
DAY_PAGE = re.compile(r"\d{4}-\d{2}-\d{2}\.html")
NUMBERS = ("element_count", "unexpected_count", "unexpected_percent", "missing_count", "missing_percent")

PAGES = Path(__file__).with_name("pages")
"""Their templates and style."""


def page(contract: Contract, audit: Audit, day: date, run_id: str, rows: int) -> str:
    """The page of one audit, as HTML that needs nothing else."""
    from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer

    document = ValidationResultsPageRenderer(run_info_at_end=True).render(_suite_result(contract, audit))
    # Its overview names suites and batches that we do not have; the first lines of the page say what it says.
    sections = [s for s in document.to_json_dict()["sections"] if s.get("section_name") not in ("Overview", "Run Info")]
    broken = [finding.rule for finding in audit.broken]
    verdict = f"{rows:,} rows. " + (
        f"The contract is broken by {', '.join(broken)}; this attempt is not published."
        if broken
        else "The contract holds, and the table is published."
    )
    if unsaid := [finding.rule for finding in audit.warnings if not finding.held]:
        verdict += f" What these data cannot say: {', '.join(unsaid)}."
    context = {
        "title": f"{contract.table} of {day}",
        "about": contract.about,
        "held": not broken,
        "verdict": verdict,
        "sections": sections,
        "not_asked": [f"{f.rule} ({f.why})" for f in (*audit.findings, *audit.warnings) if f.skipped],
        "checked": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "run_id": run_id,
        "style": _style(),
        "renderer_type": "ValidationResultsPageRenderer",
    }
    return str(_view().get_template("page.html.j2").render(context))


def write_page(home: Home, table: str, day: date, html: str) -> Path:
    """Put a page into `reports/data_docs/` in place of the day's last one, and list it in the index."""
    root = home.reports / FOLDER
    path = root / table / f"{day}.html"
    _replace(path, html)
    _replace(root / "index.html", _index(root))
    return path


def _index(root: Path) -> str:
    def days(folder: Path) -> list[str]:
        return sorted((path.stem for path in folder.iterdir() if DAY_PAGE.fullmatch(path.name)), reverse=True)

    tables = [(folder.name, days(folder)) for folder in sorted(path for path in root.iterdir() if path.is_dir())]
    return str(_index_view().get_template("index.html.j2").render(style=_style(), tables=tables))


def _style() -> str:
    return (PAGES / "style.css").read_text(encoding="utf-8")


def _replace(path: Path, text: str) -> None:
    """Write a file that nobody sees half-written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.parent / f".{uuid.uuid4().hex}.tmp"
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


@lru_cache(maxsize=1)
def _index_view() -> Any:
    """A process compiles its templates once."""
    from jinja2 import Environment, FileSystemLoader
    from markupsafe import Markup

    environment = Environment(autoescape=True, keep_trailing_newline=True, loader=FileSystemLoader(PAGES))
    environment.filters["shown"] = lambda text: Markup(escape(text))
    return environment


@lru_cache(maxsize=1)
def _view() -> Any:
    from great_expectations.render.view import DefaultJinjaPageView
    from jinja2 import ChoiceLoader, FileSystemLoader

    environment = DefaultJinjaPageView().env
    environment.loader = ChoiceLoader([FileSystemLoader(PAGES), environment.loader])
    return environment


# -- results as people may see them ------------------------------------------------------------------------------------


def _suite_result(contract: Contract, audit: Audit) -> Any:
    from great_expectations.core import ExpectationSuiteValidationResult

    blocking = {finding.rule: finding for finding in audit.findings}
    shown = [_schema_result(finding) for finding in audit.findings if finding.rule == "schema"]
    for result in audit.results:
        rule = result.expectation_config.meta["rule"]
        shown.append(_without_values(result, _kind(rule in blocking)))
    # What is broken comes first, then what only warns, then what holds.
    shown.sort(key=lambda result: (bool(result.success), result.expectation_config.meta["attributes"]["kind"]))
    held = sum(bool(result.success) for result in shown)
    statistics = {
        "evaluated_expectations": len(shown),
        "successful_expectations": held,
        "unsuccessful_expectations": len(shown) - held,
        "success_percent": 100 * held / len(shown),
    }
    return ExpectationSuiteValidationResult(
        success=audit.holds, results=shown, suite_name=contract.table, statistics=statistics, meta={}
    )


def _kind(blocking: bool) -> str:
    return "blocks" if blocking else "only said"


def _without_values(result: Any, kind: str) -> Any:
    """A result with its numbers and without the values and positions of rows: nobody is forgotten in a page."""
    shown = copy.copy(result)
    shown.result = {key: result.result[key] for key in NUMBERS if result.result.get(key) is not None}
    observed = result.result.get("observed_value")
    if isinstance(observed, Sequence | Mapping | set) and not isinstance(observed, str):
        observed = f"{len(observed)} values"
    if observed is not None and result.expectation_config.kwargs.get("column") != "user_id":
        shown.result["observed_value"] = _escaped(observed)
    meta = result.expectation_config.meta
    shown.expectation_config = _shown(result.expectation_config, meta["rule"], meta["why"], kind)
    return shown


def _schema_result(finding: Finding) -> Any:
    """The columns and their types, which are compared before anything is asked of Great Expectations."""
    from great_expectations.core import ExpectationValidationResult

    from causalrec_assets.gate.expectations.rows import ExpectStatementToBeTrue

    stated = ExpectStatementToBeTrue(statement=finding.why, holds=finding.held, otherwise=finding.observed)
    return ExpectationValidationResult(
        success=finding.held,
        expectation_config=_shown(stated.configuration, "schema", "rules would fail for the wrong reason", _kind(True)),
        result={"observed_value": "it is so" if finding.held else escape(finding.observed)},
        exception_info={"raised_exception": False, "exception_message": None, "exception_traceback": None},
    )


def _shown(configuration: Any, rule: str, why: str, kind: str) -> Any:
    """A configuration that is rendered with our own columns."""
    shown = copy.deepcopy(configuration)
    # Great Expectations escapes what stands in its sentences, but not the columns' names in their headings.
    shown.kwargs = {k: _escaped(value) if k.startswith("column") else value for k, value in shown.kwargs.items()}
    shown.meta = {"attributes": {"rule": escape(rule), "why": escape(why) or "--", "kind": kind}}
    shown.kwargs["meta_properties_to_render"] = {"Rule": "rule", "Why": "why", "If broken": "kind"}
    # The renderer asks for the expectation again, which would refuse the key that only the renderer knows.
    shown.to_domain_obj = configuration.to_domain_obj
    return shown


def _escaped(value: Any) -> Any:
    """All texts of a value."""
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, Mapping):
        return {key: _escaped(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_escaped(one) for one in value]
    return value
