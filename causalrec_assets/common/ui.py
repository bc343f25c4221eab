"""What the Dagster UI shows of a table: small tables and pictures, column lineage, windows in words."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import dagster as dg
import polars as pl

from causalrec.escaping import markdown
from causalrec.settings.file import read_setting
from causalrec.settings.learning import parse_learning
from causalrec_assets.lake.inputs import Inputs
from causalrec_assets.lake.lost import LostObject

LONGEST, LISTED = 200, 20


def table(frame: pl.DataFrame, rows: int = 40) -> dg.MarkdownMetadataValue:
    """A small table; what stands in it is shown and not read as markdown."""
    if frame.is_empty():
        return dg.MetadataValue.md("none")
    lines = [[markdown(name, cell=True) for name in frame.columns], ["---"] * frame.width]
    lines += [[markdown(_cell(value), cell=True) for value in row] for row in frame.head(rows).iter_rows()]
    return dg.MetadataValue.md("\n".join(f"| {' | '.join(line)} |" for line in lines))


def listing(lines: Iterable[str]) -> dg.MarkdownMetadataValue:
    """Sentences, one a line, shown as they are."""
    return dg.MetadataValue.md("\n".join(f"- {markdown(line)}" for line in lines) or "none")


def _cell(value: object) -> str:
    """A value as Polars shows it: a gap is a gap, a float has six significant digits, a list its first values."""
    if value is None:
        return "null"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):
        return "[" + ", ".join(_cell(one) for one in value[:LISTED]) + (", ..." if len(value) > LISTED else "") + "]"
    text = str(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


def picture(png: bytes) -> dg.MarkdownMetadataValue:
    """A small picture, embedded."""
    return dg.MetadataValue.md(f"![plot](data:image/png;base64,{base64.b64encode(png).decode()})")


def column_lineage(lineage: Mapping[str, Sequence[tuple[str, str]]]) -> dg.TableColumnLineage:
    """Column -> the (table, column) pairs that it is made from, as Dagster records it."""
    return dg.TableColumnLineage(
        {
            column: [dg.TableColumnDep(asset_key=table, column_name=upstream) for table, upstream in made_from]
            for column, made_from in lineage.items()
        }
    )


def column_schema(schema: pl.Schema, lineage: Mapping[str, Sequence[tuple[str, str]]]) -> dg.TableSchema:
    """The columns with their types and, as their descriptions, what they are made from.

    The open-source UI shows recorded column lineage as JSON only; it does show descriptions.
    """
    return dg.TableSchema(
        [
            dg.TableColumn(name, str(dtype), description=_made_from(lineage[name]) if name in lineage else None)
            for name, dtype in schema.items()
        ]
    )


def _made_from(upstream: Sequence[tuple[str, str]]) -> str:
    return "from " + (", ".join(f"{table}.{column}" for table, column in upstream) or "no column")


def still_readable(inputs: Inputs) -> str:
    """What readers get of a partition whose newest attempt failed."""
    try:
        good = inputs.store.pointer(inputs.asset, inputs.day)
    except LostObject as lost:
        return f"the last version cannot be read: {lost}"
    if good is None:
        return "there is no earlier version"
    return f"the last good version ({good.number}, of run {good.run_id}) stays readable"


def learning_window_words(inputs: Inputs) -> str | None:
    """The days that an attempt learned from and was judged on; None when it did not ask for them."""
    # The property is cached, and reading it here would record the settings as inputs of tables that do not depend on
    # them.
    if "learning" not in inputs.__dict__:
        return None
    window = inputs.learning
    settings = parse_learning(read_setting(inputs.home, "learning.yaml"), read_setting(inputs.home, "sources.yaml"))
    words = (
        f"trained on {_span(window.train_days, 'w', settings.window_days)}, judged on "
        f"{_span(window.judge_days, 'h', settings.judgement_days)}, outcomes mature after m = "
        f"{_days(settings.maturity_days)}"
    )
    return words if window.enough else f"{words}; too few: {window.reason}"


def _span(days: Sequence[date], name: str, wanted: int) -> str:
    all_of_them = f"{name} = {_days(wanted)}"
    if not days:
        return f"no day ({all_of_them}, none after the logs begin)"
    if len(days) < wanted:
        all_of_them = f"{len(days)} of {all_of_them}, cut off where the logs begin"
    return f"{days[0]} to {days[-1]} ({all_of_them})"


def _days(number: int) -> str:
    return f"{number} day" if number == 1 else f"{number} days"
