"""CSV as its usual writers write it: read as meant, or refused with the file and the line."""

import csv
import io

import pandas as pd
import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from causalrec.answers import InputError
from causalrec.logs.reading import csv_dialect
from causalrec.logs.reading import files as reading
from causalrec.logs.reading.casting import take_all
from causalrec.logs.reading.files import open_landed
from causalrec.settings.logs.cleaning import CleaningRules
from causalrec.settings.logs.csv import CsvSettings
from causalrec.settings.logs.feeds import Feed
from tests.logs.worlds import FIRST, SECOND, at, cleaned, event, frame, index, land, source

TWO = [("2026-03-02 10:00:00", "hat", "1"), ("2026-03-02 11:00:00", "shoe", "0")]
NAMES = ["time", "item", "click"]


def read(path, content, **stated):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with open_landed(path, CleaningRules(), CsvSettings(**stated)) as landed:
        header = list(landed.header())
        frames = list(landed.pieces(header))
    rows = pl.concat(frames) if frames else pl.DataFrame(schema=dict.fromkeys(header, pl.String))
    assert all(dtype == pl.String for dtype in rows.schema.values())
    return rows


def lines(*given, sep=",", end="\n"):
    return "".join(sep.join(row) + end for row in given)


PLAIN = lines(NAMES, *TWO)
EXCEL = lines(NAMES, *TWO, sep=";", end="\r\n")
ANALYTICS = "# ----------\n# All Web Site Data\n# 20260302-20260302\n# ----------\n\n"

AS_MEANT = {
    "plain": PLAIN,
    "crlf": lines(NAMES, *TWO, end="\r\n"),
    "lone_cr": lines(NAMES, *TWO, end="\r"),
    "crlf_and_lf": PLAIN + "",
    "excel_semicolons_with_mark": b"\xef\xbb\xbf" + EXCEL.encode(),
    "excel_unicode_text": b"\xff\xfe" + lines(NAMES, *TWO, sep="\t", end="\r\n").encode("utf-16-le"),
    "utf_16_big_endian": b"\xfe\xff" + PLAIN.encode("utf-16-be"),
    "utf_16_without_mark": EXCEL.encode("utf-16-le"),
    "utf_32": b"\xff\xfe\0\0" + PLAIN.encode("utf-32-le"),
    "sep_line": "sep=;\r\n" + EXCEL,
    "sep_line_that_others_quote": '"sep=;"\r\n' + EXCEL,
    "tabs": lines(NAMES, *TWO, sep="\t"),
    "pipes": lines(NAMES, *TWO, sep="|"),
    "hive": lines(NAMES, *TWO, sep="\x01"),
    "comma_and_blank": lines(NAMES, *TWO, sep=", "),
    "comma_and_blank_with_quotes": '"time", "item", "click"\n"2026-03-02 10:00:00", "hat", "1"\n'
    '"2026-03-02 11:00:00", "shoe", "0"\n',
    "blanks_in_the_header": "time ,item, click\n" + lines(*TWO),
    "all_quoted": lines(*([f'"{cell}"' for cell in row] for row in [NAMES, *TWO])),
    "all_quoted_without_a_last_line_end": lines(*([f'"{cell}"' for cell in row] for row in [NAMES, *TWO]))[:-1],
    "last_cells_of_one_width_without_a_last_line_end": PLAIN[:-1],
    "blank_lines": "\n\n" + PLAIN.replace("\n", "\n\n"),
    "comments_above": ANALYTICS + PLAIN,
    "header_again_in_the_middle": PLAIN.replace("\n2026-03-02 11", "\ntime,item,click\n2026-03-02 11"),
    "header_again_with_mark": PLAIN.replace("\n2026-03-02 11", "\n\ufefftime,item,click\n2026-03-02 11"),
    "header_again_in_quotes": '"time","item","click"\n' + lines(TWO[0]) + '"time","item","click"\n' + lines(TWO[1]),
    "postgres_text_with_its_end": lines(NAMES, *TWO, sep="\t") + "\\.\n",
    "rows_that_were_never_filled": EXCEL + ";;\r\n;;\r\n",
    "last_separator": lines([*NAMES, ""], *([*row, ""] for row in TWO)),
}
AS_MEANT["crlf_and_lf"] = lines(NAMES, TWO[0], end="\r\n") + lines(TWO[1])


@pytest.mark.parametrize("name", sorted(AS_MEANT))
def test_what_usual_writers_write_is_read_as_meant(tmp_path, name):
    rows_read = read(tmp_path / "a.csv", AS_MEANT[name])
    assert rows_read.columns == NAMES
    assert rows_read.rows() == TWO


@pytest.mark.parametrize("block", [7, 64])
@pytest.mark.parametrize("name", sorted(AS_MEANT))
def test_where_a_block_ends_changes_nothing(tmp_path, monkeypatch, name, block):
    monkeypatch.setattr(reading, "BLOCK", block)
    assert read(tmp_path / "a.csv", AS_MEANT[name]).rows() == TWO


CELLS = {
    "a_comma_in_quotes": ('a,b\n"x,y",2\n', ["x,y"]),
    "a_line_end_in_quotes": ('a,b\n"x\ny",2\n"x\r\ny",3\n', ["x\ny", "x\r\ny"]),
    "a_lone_cr_in_quotes": ('a,b\n"x\ry",2\n', ["x\ry"]),
    "quotes_twice": ('a,b\n"say ""hi""",2\n"""",3\n"""x",4\n', ['say "hi"', '"', '"x']),
    "a_quote_in_an_unquoted_cell": ('a,b\na 5" pipe,2\nb,3\n', ['a 5" pipe', "b"]),
    "an_empty_cell_and_an_empty_text": ('a,b\n,2\n"",3\n', [None, None]),
    "a_backslash": ("a,b\nC:\\new,2\n", ["C:\\new"]),
    "a_backslash_before_the_closing_quote": ('a,b\n"C:\\",2\n"x,y",3\n', ["C:\\", "x,y"]),
    "json": ('a,b\n"{""q"": ""say \\""hi\\"" now""}",2\n', ['{"q": "say \\"hi\\" now"}']),
    "escaped_quotes": ('a,b\n"say \\"hi\\" now",2\n"x",3\n', ['say "hi" now', "x"]),
    "escaped_quotes_and_backslashes": ('a,b\n"say \\"hi\\", \\\\ you",2\n', ['say "hi", \\ you']),
    "postgres_text": ('a\tb\nx\\ty\\n\\\\z\t2\n\\N\t3\nsaid "hi"\t4\n', ["x\ty\n\\z", None, 'said "hi"']),
    "mysql": ("a\tb\nx\\\ty\\\nz\t2\n\\N\t3\n", ["x\ty\nz", None]),
    "mysql_in_quotes": ('a,b\n"x \\"y\\"","2"\n\\N,"3"\n', ['x "y"', None]),
    "nulls_of_a_dump": ("a,b\n\\N,2\nx,3\n", [None, "x"]),
    "zeros_in_front": ("a,b\n007,2\n1e5,3\n", ["007", "1e5"]),
    "blanks_around": ("a,b\n x ,2\n", [" x "]),
    "an_emoji_that_blocks_part": ("a,b\n🎩🎩🎩,2\n", ["🎩🎩🎩"]),
    "the_header_in_a_cell": ('a,b\n"x\na,b\ny",2\n', ["x\na,b\ny"]),
}


@pytest.mark.parametrize("block", [None, 5])
@pytest.mark.parametrize("name", sorted(CELLS))
def test_a_cell_is_what_its_writer_meant(tmp_path, monkeypatch, name, block):
    if block:
        monkeypatch.setattr(reading, "BLOCK", block)
    content, cells = CELLS[name]
    assert read(tmp_path / "a.csv", content)["a"].to_list() == cells


DOUBTS = {
    "a_row_with_too_few": ("a,b,c\n1,2,3\n4,5\n", r"line 3 has 2 cell\(s\) and the header has 3: '4,5'"),
    "a_row_with_too_many": ("a,b\n1,2\n4,5,6\n", r"line 3 has 3 cell\(s\) and the header has 2"),
    "after_a_cell_of_two_lines": ('a,b\n"x\ny",2\n4\n', r"line 4 has 1 cell"),
    "a_title_above": ("Sales of March\na,b\n1,2\n", r"has 2 cell\(s\) and the header has 1.*skip_lines"),
    "a_total_below": ("a,b,c\n1,2,3\nTotal: 3\n", "line 3 has 1 cell"),
    "a_second_table_below": ("a,b,c\n1,2,3\n\nday,rows\n1,2\n", "line 4 has 2 cell"),
    "text_behind_a_quote": ('a,b\n"x"y,2\n', "line 2: after the quote that closes a cell comes 'y'"),
    "a_quote_left_open": ('a,b\nz,1\n"x,2\n', "line 3: a quote is left open"),
    "two_separators": ("a,b;c\n1,2;3\n", "line 1: its cells may be parted by commas or semicolons.*separator"),
    "another_separator": ("a,b\n1;2\n", r"line 2 has 1 cell\(s\) and the header has 2: '1;2'"),
    "latin_1": (b"a,b\nh\xfct,2\n", r"line 2 is not UTF-8 \(byte 0xfc\).*csv: \{encoding: cp1252\}"),
    "a_nul": (b"a,b\nx\0,2\n", "line 2 holds a NUL byte"),
    "half_a_character": ("a,b\n1,ü".encode()[:-1], "line 2 ends inside of a character"),
    "utf_16_cut_off": ("a,b\n1,2\n".encode("utf-16")[:-1], "not in utf-16-le"),
    "a_comment_that_may_be_the_header": ("#a,b\n1,2\n", r"line 1 begins with `#`.*skip_lines: 1.*skip_lines: 0"),
    "single_quotes": ("a,b\n'x',1\n'y',2\n", r"line 2: cells such as 'x' stand in single quotes.*quote"),
    "either_escape": ('a,b\n"a\\",",b"\n', r"line 2: whether the backslash before a quote"),
    "two_backslashes": ("a,b\nC:\\\\new,2\n", r"line 2: whether the two backslashes in"),
    "a_backslash_in_tabs": ("a\tb\nx\\ny\t2\n", r"line 2: whether the backslash in .* is an escape"),
    "nulls_and_then_something_else": ("a,b\n\\N,1\nC:\\x,2\n", "whether|no escape that is known"),
    "dump_quotes": ('a\tb\n"x"\t\\N\n', "whether quotes stand around cells"),
    "cut_in_the_last_cell": (
        "a,b\nx,12.50\ny,3",
        r"line 3 is the last .*'3'.*last_line_end: optional",
    ),
    "cut_before_the_last_cell": ("a,b\nx,12.5\ny,", "line 3 is the last and has no line end"),
    "cut_between_cells": ("a,b\nx,12.5\ny", "line 3 has 1 cell"),
    "row_names_without_a_header": ("a,b\n1,2,3\n2,4,5\n", "line 2 has 3 cell"),
    "a_lone_cr_in_a_cell": ("a,b\nx\ry,2\n", "line 2: a carriage return alone and a line feed"),
}


@pytest.mark.parametrize("name", sorted(DOUBTS))
def test_what_nobody_can_mean_or_may_mean_two_things_is_refused_with_its_line(tmp_path, name):
    content, says = DOUBTS[name]
    with pytest.raises(InputError, match=rf"a\.csv cannot be read as csv: .*{says}"):
        read(tmp_path / "a.csv", content)


STATED = {
    "separator": ("a,b;c\n1,2;3\n", {"separator": ";"}, [("1,2", "3")]),
    "encoding": (b"a,b\nh\xfct,\x80\n", {"encoding": "cp1252"}, [("hüt", "€")]),
    "a_mark_says_more": (b"\xef\xbb\xbfa,b\nh\xc3\xbct,2\n", {"encoding": "cp1252"}, [("hüt", "2")]),
    "quote": ("a,b\n'x,''y',2\n", {"quote": "'"}, [("x,'y", "2")]),
    "no_quote": ('a,b\n"x",2\n', {"quote": "none"}, [('"x"', "2")]),
    "quotes_that_belong": ("a,b\n'x',1\n", {"quote": '"'}, [("'x'", "1")]),
    "escape": ("a,b\nx\\ny\\,z,2\n", {"escape": "\\"}, [("x\ny,z", "2")]),
    "no_escape": ("a\tb\nx\\ny\t\\N\n", {"escape": "none"}, [("x\\ny", "\\N")]),
    "another_escape": ('a,b\n"x^"y",2\n', {"escape": "^"}, [('x"y', "2")]),
    "columns": ("1,2\n3,4\n", {"columns": ("a", "b")}, [("1", "2"), ("3", "4")]),
    "columns_and_a_header": ("a,b\n3,4\n", {"columns": ("a", "b")}, [("3", "4")]),
    "skip_lines": ("Sales\nof March\na,b\n1,2\n", {"skip_lines": 2}, [("1", "2")]),
    "a_hash_is_the_header": ("#a,b\n1,2\n", {"skip_lines": 0}, [("1", "2")]),
    "last_line_end": ("a,b\nx,12.50\ny,3", {"last_line_end": "optional"}, [("x", "12.50"), ("y", "3")]),
}


@pytest.mark.parametrize("name", sorted(STATED))
def test_what_a_person_says_settles_it(tmp_path, name):
    content, stated, rows = STATED[name]
    assert read(tmp_path / "a.csv", content, **stated).rows() == rows


def test_columns_without_a_name_are_passed_over_and_double_names_matter_where_they_are_asked_for(tmp_path):
    pandas = pd.DataFrame({"item": ["hat", "007"], "n": [1, None]}).to_csv()
    assert read(tmp_path / "a.csv", pandas).rows() == [("hat", "1.0"), ("007", None)]
    (tmp_path / "b.csv").write_text("a,b,b,\n1,2,3,\n")
    with open_landed(tmp_path / "b.csv", CleaningRules()) as landed:
        assert [piece.rows() for piece in landed.pieces(["a"])] == [[("1",)]]
        with pytest.raises(InputError, match=r"the header has \['b'\] more than once"):
            list(landed.pieces(["b"]))


@pytest.mark.parametrize("name", ["a.tsv", "a.psv"])
def test_other_endings_of_text_tables_are_read(tmp_path, name):
    assert read(tmp_path / name, lines(NAMES, *TWO, sep="\t")).rows() == TWO


def test_numbers_with_a_decimal_comma_are_numbers_and_ids_stay_text():
    feed = Feed("events", {"item_id": "i", "price": "p"}, csv=CsvSettings(decimal=","))
    types = {"item_id": pl.String(), "price": pl.Float64()}
    rows = take_all(pl.DataFrame({"i": ["1,5", "2"], "p": ["1,5", "-20"]}), feed, types, "UTC", "f")
    assert rows.rows() == [("1,5", 1.5), ("2", -20.0)]
    with pytest.raises(InputError, match=r"`p` is '1\.234,5', which is not a finite number"):
        take_all(pl.DataFrame({"i": ["1"], "p": ["1.234,5"]}), feed, types, "UTC", "f")


def test_the_events_of_a_semicolon_file_of_excel_are_those_of_the_plain_one(tmp_path):
    rows = frame(event("1", at(FIRST, 9), "hat; red", click=1), event("2", at(FIRST, 10), "müsli"))
    land(tmp_path / "plain", "a.csv", rows)
    path = land(tmp_path / "excel", "a.csv", rows)
    path.write_bytes(b"\xef\xbb\xbf" + rows.write_csv(separator=";", line_terminator="\r\n").encode())
    assert cleaned(tmp_path / "excel").events.equals(cleaned(tmp_path / "plain").events)


def test_another_way_of_writing_scans_again_and_blocks_only_its_day(tmp_path):
    land(tmp_path, f"day={FIRST}/a.csv", frame(event("1", at(FIRST, 9), "hat")))
    path = land(tmp_path, f"day={SECOND}/b.csv", frame(event("2", at(SECOND, 9), "hüt")))
    path.write_bytes(path.read_text().encode("cp1252"))
    indexed = index(tmp_path)
    assert indexed.days == [FIRST]
    assert "b.csv cannot be read as csv: line 2 is not UTF-8" in indexed.problems_of(SECOND)[0]
    events = source().events
    encoded = source(events={"folder": "events", "columns": dict(events.columns), "csv": {"encoding": "cp1252"}})
    assert index(tmp_path, encoded).days == [FIRST, SECOND]
    assert cleaned(tmp_path, SECOND, encoded).events["item_id"].to_list() == ["hüt"]


def test_a_head_that_does_not_tell_is_not_believed_for_the_rest(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_dialect, "HEAD", 50)
    body = "x,1\n" * 50
    assert read(tmp_path / "a.csv", "a,b\n" + body + '"C:\\",2\n')["a"][-1] == "C:\\"
    for more, says in (
        ("\\N,2\n", r"line 52: whether the backslash in"),
        ('"say \\"hi\\"",2\n', r"line 52: after the quote"),
        ('"a\\",",b"\n', r"line 52: whether the backslash before a quote"),
        ("x;2\n", r"line 52 has 1 cell"),
        ("x,2,\n", r"line 52 has 3 cell"),
    ):
        with pytest.raises(InputError, match=says):
            read(tmp_path / "b.csv", "a,b\n" + body + more)


# -- laws ------------------------------------------------------------------------------------------------------------

TEXT = st.text(st.sampled_from("ab1,;\t|\"\\'\n\r #N.é🎩"), max_size=6)
TABLES = st.integers(2, 4).flatmap(lambda n: st.lists(st.lists(TEXT, min_size=n, max_size=n), min_size=1, max_size=6))
DIALECTS = st.fixed_dictionaries(
    {
        "delimiter": st.sampled_from(",;\t|"),
        "quoting": st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
        "doublequote": st.booleans(),
        "lineterminator": st.sampled_from(["\n", "\r\n"]),
    }
)


LAW = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "utf-16"])


@pytest.mark.train
@LAW
@given(table=TABLES, dialect=DIALECTS, encoding=ENCODINGS, block=st.integers(1, 40))
@example(
    [["\\", "x"]], {"delimiter": ",", "quoting": csv.QUOTE_ALL, "doublequote": True, "lineterminator": "\n"}, "utf-8", 9
)
def test_what_pythons_csv_writes_comes_back_or_is_refused(tmp_path, table, dialect, encoding, block):
    if dialect["quoting"] == csv.QUOTE_MINIMAL:
        # Python leaves a carriage return unquoted where lines end in line feeds: nobody can read it back.
        table = [[cell.replace("\r", "") for cell in row] for row in table]
    header = [f"column{k}" for k in range(len(table[0]))]
    target = io.StringIO()
    csv.writer(target, escapechar=None if dialect["doublequote"] else "\\", **dialect).writerows([header, *table])
    path, stated = tmp_path / "a.csv", {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "BLOCK", block)
        try:
            rows_read = read(path, target.getvalue().encode(encoding))
        except InputError as error:
            assert "a.csv cannot be read as csv: line " in str(error)
            # Said by whoever wrote it, it is read.
            stated = {
                "quote": '"',
                "escape": "none" if dialect["doublequote"] else "\\",
                "separator": dialect["delimiter"],
            }
            rows_read = read(path, target.getvalue().encode(encoding), **stated)
    # Alone in a cell, this is how databases write that there is no value.
    nothing = [""] if stated or not dialect["doublequote"] else ["", "\\N"]
    if dialect["quoting"] != csv.QUOTE_MINIMAL:
        nothing = [""]
    expected = [tuple(None if cell in nothing else cell for cell in row) for row in table if row != header]
    if dialect["quoting"] == csv.QUOTE_MINIMAL:
        expected = [row for row, cells in zip(expected, table, strict=True) if any(cells)]
    assert rows_read.rows() == expected
