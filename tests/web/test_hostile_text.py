"""Text of others is shown as it is, wherever it is shown, and means nothing there."""

from __future__ import annotations

import html as html_of_python
import itertools
import json
import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from causalrec import escaping
from causalrec.answers import not_identifiable
from causalrec.evaluation import effects as effect_report
from causalrec.evaluation.findings import Diagnostic, Gap
from causalrec.evaluation.plots import effects_plot, policy_plot
from causalrec.evaluation.report.html import render
from causalrec.graph.discovery.nodes import Dropped
from causalrec.graph.discovery.notes import EdgeDisagreement
from causalrec.graph.drawing.exports import GraphExport, from_json
from causalrec.graph.drawing.picture import draw
from causalrec.settings.deployment.alerts import AlertKind
from causalrec_assets.commands.home import create_home
from causalrec_assets.common.ui import column_schema, listing
from causalrec_assets.common.ui import table as table_in_markdown
from causalrec_assets.gate import data_docs
from causalrec_assets.gate.checking import audit
from causalrec_assets.gate.contracts import parse_contract
from resources.alerts.alert import Alert
from resources.alerts.resource import Alerts
from resources.alerts.slack import slack_payload
from resources.alerts.words import refused_alert
from tests.evaluation.test_report import CONFLICT, EFFECTS, JUDGED, story
from tests.tour.ui import browser_path
from tests.web.hostile import HOSTILE
from tests.web.servers import free_port, started

BROWSER = browser_path()
needs_a_browser = pytest.mark.skipif(BROWSER is None, reason="there is no chromium, chromium-browser or google-chrome")
DAY = date(2026, 3, 2)
# What a page has when a text has meant something.
PLANTED = """() => [
  window.planted,
  document.querySelectorAll("img[src='x'], img[src*='evil'], a[href*='evil']").length,
  document.querySelectorAll("a[href^='javascript'], a[href^='mailto']").length,
  document.querySelectorAll("[onmouseover], [onerror]").length,
  [...document.querySelectorAll("script")].filter(s => s.textContent.includes("planted")).length,
]"""


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield opened
        opened.close()


def squeezed(text: str) -> str:
    return " ".join(escaping.plain(text).split())


def shows_all(page, texts=HOSTILE) -> None:
    """Nothing was planted, and each text is there to be read, letter by letter."""
    assert page.evaluate(PLANTED) == [None, 0, 0, 0, 0]
    shown = squeezed(page.evaluate("document.body.innerText"))
    missing = [text for text in texts if squeezed(text) not in shown]
    assert missing == []


# -- pages of ours -----------------------------------------------------------------------------------------------------


@needs_a_browser
def test_a_page_of_what_a_contract_found(browser, tmp_path):
    columns = {f"c{text}{k}": [1, 2] for k, text in enumerate(HOSTILE)}
    rows = pl.DataFrame({**columns, "words": list(HOSTILE[:2])})
    rules = [
        *({"name": f"{text}r{k}", "why": f"{text}w{k}", "expect": "expect_column_values_to_be_between",
           "column": f"c{text}{k}", "min_value": 9} for k, text in enumerate(HOSTILE)),
        {"name": "set", "expect": "expect_column_values_to_be_in_set", "column": "words", "value_set": list(HOSTILE)},
        *({"name": f"d{k}", "demand": f"given{k}", "why": text} for k, text in enumerate(HOSTILE)),
        *({"name": f"h{k}", "holds": "words <> '{}'".format(text.replace("'", "''"))}
          for k, text in enumerate(HOSTILE) if "\x00" not in text),
    ]  # fmt: skip
    types = {name: str(dtype) for name, dtype in rows.schema.items()}
    contract = parse_contract("t", {"table": "t", "about": HOSTILE[0], "columns": types, "rules": rules})
    found = audit(contract, rows, {f"given{k}": f"{text} was found" for k, text in enumerate(HOSTILE)})
    assert not found.holds
    written = tmp_path / "page.html"
    written.write_text(data_docs.page(contract, found, DAY, "<script>window.planted=1</script>", 2), encoding="utf-8")
    page = browser.new_page()
    page.goto(written.as_uri())
    shows_all(page)
    shows_all(page, [f"{text} was found" for text in HOSTILE])
    shows_all(page, [f"{text}w{k}" for k, text in enumerate(HOSTILE)])
    page.close()


@needs_a_browser
def test_a_page_of_columns_that_the_contract_does_not_know(browser, tmp_path):
    contract = parse_contract("t", {"table": "t", "columns": {"a": "Int64"}, "rules": [{"holds": "a > 0"}]})
    found = audit(contract, pl.DataFrame({"a": [1], **{text: [1] for text in HOSTILE}}), {})
    written = tmp_path / "page.html"
    written.write_text(data_docs.page(contract, found, DAY, "run", 1), encoding="utf-8")
    page = browser.new_page()
    page.goto(written.as_uri())
    assert page.evaluate(PLANTED) == [None, 0, 0, 0, 0]
    assert "<script>window.planted=1</script>" in page.evaluate("document.body.innerText")
    page.close()


@needs_a_browser
def test_the_report(browser, tmp_path):
    first = EFFECTS.row(0, named=True)
    effects = pl.DataFrame(
        [
            {
                **first,
                "question": f"q{k}",
                "treatment": text or "t",
                "outcome": text or "y",
                "verdict": text,
                "assumptions": text,
            }
            for k, text in enumerate(HOSTILE)
        ],
        schema=effect_report.schema(),
    )
    judged = pl.concat(
        [JUDGED, *(JUDGED.filter(policy="uniform").with_columns(policy=pl.lit(f"p{text}"), segment=pl.lit(f"s{text}"))
                   for text in HOSTILE)]
    )  # fmt: skip
    edges = pl.DataFrame(
        [
            {"source": f"s{text}", "target": f"t{text}", "mark": "directed", "provenance": "expert", "strength": 0.1,
             "confidence": 0.5, "direction_confidence": 0.5, "who": text, "why": f"y{text}", "when": "2026-03-02"}
            for text in HOSTILE
        ]
    )  # fmt: skip
    told = replace(
        story(),
        effects=effects,
        off_policy=judged,
        gaps=[Gap(f"g{text}", not_identifiable(f"because {text}")) for text in HOSTILE],
        diagnostics=[Diagnostic(f"group {text}", f"what {text}", "1", f"words {text}", True) for text in HOSTILE],
        dropped=[Dropped(f"c{text}", f"r{text}") for text in HOSTILE],
        conflicts=[
            replace(CONFLICT, edge=f"e{text}", says=text, p_value=0.1, who=text, why=text, when=text)
            for text in HOSTILE
        ],
        disagreements=[EdgeDisagreement(f"pc{text}", text, text, 0.5) for text in HOSTILE],
        edges=edges,
        source=HOSTILE[0],
        about=HOSTILE[1],
        draws=HOSTILE[3],
    )
    written = tmp_path / "report.html"
    written.write_text(render(told), encoding="utf-8")
    page = browser.new_page()
    page.goto(written.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    shows_all(page, [f"y{text}" for text in HOSTILE])
    shows_all(page, [f"because {text}" for text in HOSTILE])
    page.close()


# -- Dagster's own UI --------------------------------------------------------------------------------------------------


@needs_a_browser
def test_what_the_dagster_ui_shows_of_a_table(browser, tmp_path):
    import dagster as dg

    home, port = create_home(tmp_path / "home"), free_port()
    shown = pl.DataFrame(
        {"n": range(len(HOSTILE)), "said": HOSTILE, HOSTILE[9]: HOSTILE, HOSTILE[11]: [list(HOSTILE)] * len(HOSTILE)}
    )
    metadata = {"rows": table_in_markdown(shown), "lines": listing(HOSTILE)}
    # What the UI shows as text: it does so with what it means, but it is Dagster's to keep it so.
    schema = column_schema(pl.Schema(dict.fromkeys(HOSTILE, pl.Int64)), {text: [(text, text)] for text in HOSTILE})
    as_text = {"dagster/column_schema": schema, **{f"text {k}": text for k, text in enumerate(HOSTILE)}}
    with dg.DagsterInstance.from_config(str(home.dagster)) as instance:
        instance.report_runless_asset_event(dg.AssetMaterialization("shown", metadata={**metadata, **as_text}))
    arguments = ["causalrec_assets.web.dagster_server", "--empty-workspace", "-p", str(port)]
    with started(arguments, port, tmp_path / "server.log", DAGSTER_HOME=str(home.dagster)) as address:
        page = browser.new_page(viewport={"width": 1800, "height": 2400})
        page.goto(f"{address}/assets/shown?view=events")
        for key in metadata:
            row = f"//*[normalize-space(text())='{key}']/ancestor::tr[1]"
            page.locator(f"xpath={row}").get_by_text("[Show Markdown]").first.click()
            dialog = page.get_by_role("dialog")
            dialog.wait_for()
            page.wait_for_timeout(500)
            assert page.evaluate(PLANTED) == [None, 0, 0, 0, 0]
            text = dialog.inner_text()
            missing = [said for said in HOSTILE if squeezed(said) not in squeezed(text)]
            assert missing == [], text
            for element in ("h1", "h2", "blockquote", "strong", "em", "del", "pre", "a", "img", "ol"):
                assert dialog.locator(f"[class*=arkdown] {element}, .markdown-body {element}").count() == 0, element
            if key == "rows":
                assert dialog.locator("tr").count() == len(HOSTILE) + 1
                assert set(dialog.locator("tr").evaluate_all("rows => rows.map(row => row.cells.length)")) == {4}
            dialog.get_by_role("button", name="Close").click()
        shows_all(page, HOSTILE)
        page.close()


def test_a_table_in_markdown_has_a_line_a_row():
    shown = pl.DataFrame({"said": HOSTILE, "n": [None] * len(HOSTILE)})
    lines = table_in_markdown(shown).value.split("\n")
    assert len(lines) == len(HOSTILE) + 2
    assert all(line.startswith("| ") and line.endswith(" |") for line in lines)


# -- pictures and files for other tools --------------------------------------------------------------------------------

NAMES = [text for text in HOSTILE if text]
GRAPH = pl.DataFrame(
    [{"source": a, "target": b, "mark": "directed", "provenance": "expert", "confidence": 0.5, "who": a, "why": b}
     for a, b in itertools.pairwise(NAMES)]
)  # fmt: skip


def test_a_picture_of_the_graph_shows_dollars_and_reads_no_formula():
    from matplotlib.text import Text

    for text in HOSTILE:
        said, is_formula = Text()._preprocess_math(escaping.plot(text))
        assert not is_formula
        assert said == escaping.plain(text)
    png = draw(GRAPH, {name: k % 3 for k, name in enumerate(NAMES)}, dict.fromkeys(NAMES, "mediator"), NAMES[:3])
    assert png.startswith(b"\x89PNG")


def test_plots_take_names_that_are_no_formulas():
    first, dollars = EFFECTS.row(0, named=True), [text for text in HOSTILE if "$" in text or "\n" in text]
    named = [{**first, "treatment": text, "outcome": text} for text in dollars]
    assert effects_plot(pl.DataFrame(named, schema=effect_report.schema())) is not None
    one = JUDGED.filter(policy="uniform")
    segments = pl.concat([one.with_columns(segment=pl.lit(text)) for text in dollars])
    assert policy_plot(segments, "uniform", "satisfaction", dollars) is not None


def test_graphviz_reads_names_and_no_statements():
    export = GraphExport(GRAPH, NAMES, dict.fromkeys(NAMES, 0), {})
    text = export.to_dot()
    quoted = re.compile(r'"(?:[^"\\]|\\.)*"', re.S)
    names = [found[1:-1].replace('\\"', '"').replace("\\\\", "\\") for found in quoted.findall(text)]
    wanted = [name.replace("\0", "\ufffd") for name in NAMES]
    assert set(wanted) <= set(names)
    rest = quoted.sub("", text)
    assert not any(sign in rest for sign in "<>$|`'") or rest.count("->") == rest.count(">")
    assert rest.count("->") == GRAPH.height
    assert from_json(export.to_json()).table.equals(GRAPH)


# -- alerts ------------------------------------------------------------------------------------------------------------


def test_a_message_to_slack_calls_nobody_and_links_nowhere():
    for text in HOSTILE:
        alert = refused_alert("events", "2026-03-02", [text], "run-1", None)
        payload = slack_payload(replace(alert, title=f"Refused {text}"))
        assert payload["link_names"] is payload["unfurl_links"] is payload["unfurl_media"] is False
        texts = [payload["text"]]
        for block in payload["blocks"][1:]:
            for part in block.get("fields", [block.get("text")]):
                assert part["verbatim"] is True
                texts.append(part["text"])
        assert not any("<" in said or ">" in said for said in texts)
        assert all(letter == "\n" or letter.isprintable() or letter == "\u200c" for letter in "".join(texts))
        reason = next(line for line in texts[1].split("\n") if line.startswith("•"))
        assert reason == f"• {escaping.slack(escaping.plain(text))}"
        json.dumps(payload)


def test_no_text_passes_for_a_line_of_the_log(tmp_path, caplog):
    alerts = Alerts(home=str(create_home(tmp_path / "home").root))
    for text in HOSTILE:
        caplog.clear()
        with caplog.at_level(logging.INFO):
            alerts.send(
                Alert(AlertKind.FAILURE, f"failed {text}", f"because {text}", f"do {text}"), logging.getLogger("x")
            )
        first, *others = caplog.messages[0].split("\n")
        assert first == f"failed {escaping.plain(text)}"
        assert all(line.startswith("  ") for line in others)
        assert all(
            letter.isprintable() or letter == "\u200c" for line in caplog.messages[0].split("\n") for letter in line
        )


def test_html_is_what_python_takes_back():
    for text in HOSTILE:
        shown = escaping.html(text)
        assert not set(shown) & set("<>\"'")
        assert html_of_python.unescape(shown) == "\n".join(escaping.plain(line) for line in text.split("\n"))
    assert Path(__file__).exists()
