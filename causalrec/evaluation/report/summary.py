"""The page's findings as a table: what a dashboard or another asset reads of it."""

from __future__ import annotations

import polars as pl

from causalrec.evaluation.report.html import Story

COLUMNS = ("section", "subject", "status", "headline")


def findings_table(story: Story) -> pl.DataFrame:
    """One row a finding, in the order of the page.

    Returns:
        Columns `section` (verdict, first, effect, gap, trust, attribute, setting), `subject`, `status`, `headline`.
    """
    rows = [
        ("verdict", "challenger", story.verdict.decision.value, story.verdict.reason),
        *(("first", line.name, line.status, line.words) for line in story.first),
        *(("effect", r["question"], r["status"], r["verdict"]) for r in story.effects.iter_rows(named=True)),
        *(("gap", gap.subject, gap.answer.status.value, gap.answer.reason) for gap in story.gaps),
        *(("trust", line.what, "answered", f"{line.number}: {line.words}") for line in story.diagnostics),
        *(("attribute", use.name, use.kind, f"{use.effects}; by the policy: {use.policy}") for use in story.attributes),
        *(("setting", setting.name, setting.how, setting.value) for setting in story.settings),
    ]
    return pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.String), orient="row")
