"""Reading JSON Lines: one object a line, and each value what it is there, whatever stands beside it.

Tidy blocks, in which each key has values of one kind, are read by pyarrow, which knows the kinds apart and refuses what
is not tidy. A stretch that it refuses, or in which a float could stand for several whole numbers, is read again line by
line: slower by some times, and exact. A key with values of several kinds becomes a column of tokens.
"""

from __future__ import annotations

import codecs
import io
import json
import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import polars as pl

from causalrec.logs.reading.json_tokens import EXACT, as_tokens, tokens

LONGEST = 256 * 1024**2
"""Bytes of a line."""
STRETCH = 512 * 1024
"""Bytes that are read line by line where a block is not tidy."""
DEEPEST = 100
"""Records within records; readers recurse, and a line of a million brackets would end the process."""
NO_COLUMN = "{}"
"""Rows that are all `{}` have one column of nothing, so that they are counted."""


class _Whole(str):
    """A whole number, as it is written."""


class _Number(str):
    """Another number, as it is written; NaN and Infinity, which Python writes, too."""


def json_lines(path: Path, columns: Collection[str] | None, block: int) -> Iterator[pl.DataFrame]:
    """The rows in their order, some at a time.

    Args:
        columns: Only these; None: all.
        block: Bytes that are read at a time.

    Raises:
        ValueError: A line is no JSON object, or not UTF-8; it is named.
    """
    line, texts = 1, set[str]()
    for part in _blocks(path, block):
        for frame in _frames(part, line, texts):
            yield frame if columns is None else _only(frame, columns)
        line += part.count(b"\n")


def together(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Frames below each other, without a change to any value: a column of several types becomes one of tokens."""
    types: dict[str, set[pl.DataType]] = {}
    for frame in frames:
        for name, dtype in frame.schema.items():
            types.setdefault(name, set()).add(dtype)
    mixed = {name for name, dtypes in types.items() if len(dtypes - {pl.Null()}) > 1}
    same = [frame.with_columns(as_tokens(frame[n]) for n in frame.columns if n in mixed) for frame in frames]
    return pl.concat(same, how="diagonal_relaxed")


def _only(frame: pl.DataFrame, columns: Collection[str]) -> pl.DataFrame:
    # Row numbers are counted, whichever columns are asked for.
    return frame.select([name for name in frame.columns if name in columns] or frame.columns[:1])


def _blocks(path: Path, size: int) -> Iterator[bytes]:
    """Whole lines, without a byte order mark."""
    line, length, parts = 1, 0, list[bytes]()
    with path.open("rb") as file:
        if (start := file.read(4)) and (b"\0" in start or start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))):
            raise ValueError("line 1 holds a NUL byte, so it is no text (it may be UTF-16: save it as UTF-8)")
        file.seek(len(codecs.BOM_UTF8) if start.startswith(codecs.BOM_UTF8) else 0)
        while read := file.read(size):
            end = read.rfind(b"\n") + 1
            if end:
                whole = b"".join([*parts, read[:end]])
                line += whole.count(b"\n")
                yield whole
                parts, length = [], 0
            parts.append(read[end:])
            length += len(read) - end
            if length > LONGEST:
                raise ValueError(f"line {line} is longer than {LONGEST // 1024**2} MB")
    if length:
        yield b"".join(parts)


def _frames(block: bytes, line: int, texts: set[str]) -> Iterator[pl.DataFrame]:
    if not block.strip():
        return
    _require_shallow(block, line)
    if (frame := _tidy(block, line, texts)) is not None:
        yield frame
        return
    if len(block) <= STRETCH:
        yield _exact(block, line)
        return
    # What is not tidy is often one line.
    for part in _stretches(block):
        frame = _tidy(part, line, texts) if part.strip() else None
        if frame is not None:
            yield frame
        elif part.strip():
            yield _exact(part, line)
        line += part.count(b"\n")


def _stretches(block: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(block):
        end = block.find(b"\n", start + STRETCH) + 1 or len(block)
        yield block[start:end]
        start = end


# -- tidy blocks -------------------------------------------------------------------------------------------------------


def _tidy(block: bytes, line: int, texts: set[str]) -> pl.DataFrame | None:
    """The rows of a block in which each key has one kind of values; None where it is not so, or might not be.

    Args:
        texts: Keys whose values are known to be texts; more are added. Without it, texts that look like times would
            become times.
    """
    import pyarrow as pa  # type: ignore[import-untyped]
    from pyarrow import json as arrow_json

    try:
        block.decode()
    except UnicodeDecodeError:
        return None
    first = _first_line(block)
    texts |= {key for key, value in first.items() if isinstance(value, str)}
    lines = block.count(b"\n") + (not block.endswith(b"\n"))
    # pyarrow takes `null` for a row, and ends the process where it comes first.
    if block.count(b"\n{") + block.startswith(b"{") != lines:
        return None
    options = arrow_json.ReadOptions(use_threads=False, block_size=len(block) + 64)
    for _ in range(2):
        schema = pa.schema([(name, pa.string()) for name in sorted(texts)])
        try:
            table = arrow_json.read_json(
                io.BytesIO(block), read_options=options, parse_options=arrow_json.ParseOptions(explicit_schema=schema)
            )
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, UnicodeDecodeError):
            return None
        times = {field.name for field in table.schema if pa.types.is_temporal(field.type)}
        texts |= times
        if not times:
            break
    else:
        return None
    # An empty line is no row; two objects in a line, or one in two lines, are read one by one, and named.
    if table.num_rows != lines:
        return None
    # What other blocks have was asked for as text; and what is asked for comes before the rest.
    there = [n for n in table.column_names if n in first or table[n].null_count < lines or _stands(n, block)]
    table = table.select(sorted(there, key=list(dict.fromkeys([*first, *there])).index))
    if not table.num_columns:
        return pl.DataFrame({NO_COLUMN: pl.Series([None], dtype=pl.Null).new_from_index(0, lines)})
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    floats = [c for c in frame.iter_columns() if c.dtype == pl.Float64]
    return None if any(_several(column) for column in floats) else frame


def _stands(name: str, block: bytes) -> bool:
    return any(json.dumps(name, ensure_ascii=ascii_).encode() in block for ascii_ in (True, False))


def _several(numbers: pl.Series) -> bool:
    return bool((numbers.abs() >= EXACT).any())


def _first_line(block: bytes) -> dict[str, object]:
    end = block.find(b"\n")
    try:
        first = json.loads(block[: end if end >= 0 else len(block)])
    except (ValueError, RecursionError):
        # What is wrong with it is said where it is read.
        return {}
    return first if isinstance(first, dict) else {}


# -- line by line ------------------------------------------------------------------------------------------------------


def _exact(block: bytes, line: int) -> pl.DataFrame:
    """Raises ValueError: a line is no JSON object; it is named."""
    rows = [_object(text, number) for number, text in enumerate(block.split(b"\n"), line) if text.strip()]
    names = dict.fromkeys(name for row in rows for name in row)
    if not names:
        return pl.DataFrame({NO_COLUMN: pl.Series([None], dtype=pl.Null).new_from_index(0, len(rows))})
    return pl.DataFrame([_column(name, [row.get(name) for row in rows]) for name in names])


def _object(text: bytes, line: int) -> dict[str, object]:
    try:
        parsed = DECODER.decode(text.decode().lstrip("\ufeff"))
    except UnicodeDecodeError as error:
        raise ValueError(
            f"line {line} is not UTF-8 (byte {text[error.start]:#04x}): save the file in that encoding"
        ) from None
    except RecursionError:
        raise ValueError(f"line {line} has records within records, too many to be read") from None
    except _Twice as error:
        raise ValueError(f"line {line} has the key {error.args[0]!r} more than once") from None
    except ValueError as error:
        # The line itself is not repeated: what is said here is kept, and the line is somebody's.
        at = f", character {error.pos + 1}" if isinstance(error, json.JSONDecodeError) else ""
        raise ValueError(f"line {line} is no JSON ({str(error).split(':')[0]}{at})") from None
    if not isinstance(parsed, dict):
        raise ValueError(f'line {line} is no JSON object, such as {{"item": "hat"}}')
    return parsed


class _Twice(ValueError):
    """A key stands twice in a record: which value is meant, nobody knows."""


def _record(pairs: list[tuple[str, object]]) -> dict[str, object]:
    record = {_utf8(key): value for key, value in pairs}
    if len(record) < len(pairs):
        keys = [_utf8(key) for key, _ in pairs]
        raise _Twice(next(key for key in keys if keys.count(key) > 1))
    return record


DECODER = json.JSONDecoder(object_pairs_hook=_record, parse_int=_Whole, parse_float=_Number, parse_constant=_Number)


def _utf8(text: str) -> str:
    """Half of a surrogate pair is no letter: it becomes U+FFFD, which says that one was lost."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _column(name: str, values: list[object]) -> pl.Series:
    """One type where all values are of one kind, else tokens."""
    kinds = {type(value) for value in values} - {type(None)}
    if not kinds:
        return pl.Series(name, values, pl.Null)
    if kinds == {str}:
        return pl.Series(name, [None if v is None else _utf8(v) for v in values], pl.String)  # type: ignore[arg-type]
    if kinds == {bool}:
        return pl.Series(name, values, pl.Boolean)
    if kinds <= {_Whole, _Number}:
        if kinds == {_Whole} and (whole := _as_whole(name, values)) is not None:
            return whole
        floats = pl.Series(name, [None if v is None else float(v) for v in values], pl.Float64)  # type: ignore[arg-type]
        if not _several(floats):
            return floats
    return tokens([_token(value) for value in values], name)


def _as_whole(name: str, values: Sequence[object]) -> pl.Series | None:
    longest = max(len(v) for v in values if isinstance(v, str))
    numbers = [None if v is None else int(v) for v in values] if longest < 20 else [2**64]  # type: ignore[call-overload]
    fits = all(v is None or -(2**63) <= v < 2**63 for v in numbers)
    return pl.Series(name, numbers, pl.Int64) if fits else None


def _token(value: object) -> str | None:
    if value is None or (value == "NaN" and isinstance(value, _Number)):
        return None
    if isinstance(value, _Whole | _Number):
        return str.__str__(value)
    if isinstance(value, str):
        return json.dumps(_utf8(value))
    return json.dumps(value)


# -- depth -------------------------------------------------------------------------------------------------------------

BRACKET = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', re.DOTALL)


def _require_shallow(block: bytes, line: int) -> None:
    """Raises ValueError: a line has records within records deeper than readers can follow."""
    # Brackets beyond one a line: too few of them are no depth, wherever they stand.
    if block.count(b"{") + block.count(b"[") - block.count(b"\n") <= DEEPEST:
        return
    for number, text in enumerate(block.split(b"\n"), line):
        if text.count(b"{") + text.count(b"[") > DEEPEST and _depth(text) > DEEPEST:
            raise ValueError(f"line {number} has records within records, more than {DEEPEST} deep")


def _depth(text: bytes) -> int:
    depth = deepest = 0
    for match in BRACKET.finditer(text):
        mark = match.group()
        if mark in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif mark in b"]}":
            depth -= 1
    return deepest
