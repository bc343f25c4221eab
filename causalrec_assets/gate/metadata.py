"""Tables and small pictures as Dagster metadata."""

import base64

import dagster as dg
import polars as pl


def table(frame: pl.DataFrame, rows: int = 40) -> dg.MarkdownMetadataValue:
    """A small table."""
    if frame.is_empty():
        return dg.MetadataValue.md("none")
    with pl.Config(
        tbl_formatting="MARKDOWN",
        tbl_rows=rows,
        tbl_cols=-1,
        tbl_hide_column_data_types=True,
        tbl_hide_dataframe_shape=True,
        fmt_str_lengths=200,
        tbl_width_chars=2000,
    ):
        return dg.MetadataValue.md(str(frame.head(rows)))


def picture(png: bytes) -> dg.MarkdownMetadataValue:
    """A small picture, embedded."""
    return dg.MetadataValue.md(f"![plot](data:image/png;base64,{base64.b64encode(png).decode()})")
