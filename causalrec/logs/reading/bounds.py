"""What a landed file may cost: looked at before it is paid, where the format says it beforehand.

A few kilobytes of Parquet can hold a value of gigabytes, or name it in each of a million rows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import IO, Any

import polars as pl

from causalrec.settings.logs.cleaning import CleaningRules

MB = 1024**2
LEAST_UNPACKED = 64 * MB
"""What is packed may always unpack to this much, whatever its ratio."""
STRETCH = MB
RAISE = "If it is in order, raise `reading.{}` in cleaning.yaml"


def require_bounded_parquet(path: Path, columns: Collection[str] | None, rules: CleaningRules) -> None:
    """Look at a Parquet file's own account of its sizes, and at its dictionaries, before a row of it is read.

    Args:
        columns: Those that will be read; None: all.

    Raises:
        ValueError: It unpacks to more than the rules allow.
    """
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    with path.open("rb") as file:
        metadata = pq.read_metadata(file)
        suspects: dict[int, set[str]] = {}
        for group in range(metadata.num_row_groups):
            chunks = [
                chunk
                for chunk in (metadata.row_group(group).column(k) for k in range(metadata.num_columns))
                if columns is None or chunk.path_in_schema.split(".")[0] in columns
            ]
            unpacked = sum(chunk.total_uncompressed_size for chunk in chunks)
            packed = sum(chunk.total_compressed_size for chunk in chunks)
            most = min(max(LEAST_UNPACKED, rules.packed.ratio * packed), rules.reading.memory_gb * 1024**3)
            if unpacked > most:
                raise ValueError(
                    f"row group {group + 1} unpacks from {packed / MB:,.1f} MB to {unpacked / MB:,.0f} MB, more than "
                    f"{most / MB:,.0f} MB. Write it in smaller row groups; or, if it is in order, raise `packed.ratio` "
                    "or `reading.memory_gb` in cleaning.yaml"
                )
            for chunk in chunks:
                if chunk.total_uncompressed_size > rules.reading.cell_mb * MB and chunk.has_dictionary_page:
                    size = _page_size(file, chunk.dictionary_page_offset)
                    if size is None or size > rules.reading.cell_mb * MB:
                        suspects.setdefault(group, set()).add(chunk.path_in_schema.split(".")[0])
    for group, names in suspects.items():
        for name, longest in _longest_in_dictionary(path, group, sorted(names)):
            _refuse_long(name, longest, rules)


def _page_size(file: IO[bytes], offset: int) -> int | None:
    """The unpacked size of the page at an offset, by the beginning of its header (Thrift's compact protocol: the
    page's type, then this size); None where it begins otherwise."""
    file.seek(offset)
    head = file.read(16)
    numbers, at = [], 0
    for _ in range(2):
        # A field of 32 bits whose number is the next one.
        if at >= len(head) or head[at] != 0x15:
            return None
        value, shift, at = 0, 0, at + 1
        while at < len(head):
            value |= (head[at] & 0x7F) << shift
            shift, at = shift + 7, at + 1
            if head[at - 1] < 0x80:
                break
        numbers.append((value >> 1) ^ -(value & 1))
    return numbers[1]


def _longest_in_dictionary(path: Path, group: int, names: list[str]) -> Iterator[tuple[str, int]]:
    """The bytes of the longest text that the rows of a row group name, without a row of it being written out."""
    import pyarrow as pa
    import pyarrow.compute as pc  # type: ignore[import-untyped]
    import pyarrow.parquet as pq

    with path.open("rb") as file, pq.ParquetFile(file, read_dictionary=names) as read:
        for batch in read.iter_batches(batch_size=1, row_groups=[group], columns=names, use_threads=False):
            for name in names:
                values: Any = batch.column(name)
                if pa.types.is_dictionary(values.type) and not pa.types.is_primitive(values.type.value_type):
                    yield name, pc.max(pc.binary_length(values.dictionary)).as_py() or 0
            return


def require_bounded(frame: pl.DataFrame, before: int, rules: CleaningRules) -> None:
    """Look at the texts of some rows of any format.

    Args:
        before: How many rows of the file come before these.

    Raises:
        ValueError: One is longer than the rules allow, or all of them are.
    """
    whole = 0
    for values in frame:
        if values.dtype not in (pl.String, pl.Binary):
            continue
        sizes = values.str.len_bytes() if values.dtype == pl.String else values.bin.size()
        whole += int(sizes.cast(pl.UInt64).sum() or 0)
        longest = sizes.max()
        if isinstance(longest, int) and longest > rules.reading.cell_mb * MB:
            _refuse_long(values.name, longest, rules, before + (sizes.arg_max() or 0) + 1)
    if whole > rules.reading.memory_gb * 1024**3 / 2:
        raise ValueError(
            f"the texts of rows {before + 1:,} to {before + frame.height:,} come to {whole / MB:,.0f} MB. "
            + RAISE.format("memory_gb")
        )


def _refuse_long(column: str, size: int, rules: CleaningRules, row: int | None = None) -> None:
    if size > rules.reading.cell_mb * MB:
        where = f"row {row:,}: " if row else ""
        raise ValueError(
            f"{where}`{column}` holds a value of {size / MB:,.1f} MB, more than {rules.reading.cell_mb:g} MB. "
            + RAISE.format("cell_mb")
        )


def require_short_lines(path: Path, rules: CleaningRules) -> None:
    """Raises ValueError: a line of a text file is longer than the rules allow."""
    # At least a stretch, so that only a line that goes beyond its stretch can be too long.
    most, line, length = max(rules.reading.line_mb * MB, STRETCH), 1, 0
    with path.open("rb") as file:
        while block := file.read(STRETCH):
            end = block.find(b"\n")
            length += end if end >= 0 else len(block)
            if length > most:
                raise ValueError(
                    f"line {line:,} is longer than {rules.reading.line_mb:g} MB. " + RAISE.format("line_mb")
                )
            if end >= 0:
                line += block.count(b"\n")
                length = len(block) - 1 - block.rfind(b"\n")
