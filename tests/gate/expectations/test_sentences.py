"""A contract's `holds:` is one expression about a row, reads and writes nothing else, and is named when it fails."""

import re
import string
from pathlib import Path

import duckdb
import polars as pl
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from causalrec.answers import InputError
from causalrec.home import TEMPLATE, Home
from causalrec_assets.gate.checking import LIST, audit
from causalrec_assets.gate.contracts import parse_contract, read_contract
from causalrec_assets.gate.expectations.limits import Limits
from causalrec_assets.gate.expectations.sentences import why_no_sentence
from causalrec_assets.gate.session import validating

ROWS = pl.DataFrame({"a": [1, 2], "b": ["u1", "2"], "l": [[1, 2], [3]], "share": [0.5, 1.0]})
SHARED = duckdb.connect()
SHARED.execute("CREATE TABLE staged AS SELECT 1 AS a UNION ALL SELECT 2")
COLUMNS = {"a": "Int64", "b": "String", "share": "Float64"}


def contract_of(*sentences):
    rules = [{"name": f"rule_{k}", "holds": sentence} for k, sentence in enumerate(sentences)]
    return parse_contract("t", {"table": "t", "columns": COLUMNS, "extra_columns": True, "rules": rules})


GOOD = [
    "a > 0",
    "a > 0 -- said by Ann",
    "a BETWEEN 0 AND 2 AND b IS NOT NULL",
    "b IN ('u1', '2') OR b LIKE 'x%' OR regexp_matches(b, '^u:[0-9]+$')",
    "CASE WHEN a > 1 THEN share = 1 ELSE share < 1 END",
    "LEN(list_filter(l, lambda x: x > 5)) = 0",
    "COALESCE(TRY_CAST(b AS INTEGER), 2) = 2",
    "abs(share - 1.0) <= 0.5 AND NOT isnan(share)",
    "l[1] >= 1 AND list_sum(l) < 10",
    "DATE '2026-03-02' > DATE '2020-01-01' + INTERVAL 1 DAY",
    "(a, b) <> (3, 'x') AND \"a\" IS DISTINCT FROM 7",
    "b COLLATE NOCASE <> 'Z' AND b <> '; DROP TABLE x; --' AND b <> ')'",
    "NULL",
]


@pytest.mark.parametrize("sentence", GOOD)
def test_what_is_said_of_a_row_is_asked(sentence):
    assert audit(contract_of(sentence), ROWS, {}).holds


WRITES = "COPY (SELECT 1) TO '{planted}'"
BAD = [
    "a > (SELECT 0)",
    "EXISTS (SELECT 1 FROM read_text('{secret}') WHERE content LIKE '%s%')",
    "a IN (SELECT 1)",
    "a = ANY([1, 2])",
    "a > 0) FROM read_text('{secret}'); " + WRITES + "; SELECT (true",
    "true); " + WRITES + "; --",
    "true FROM staged); ATTACH '{planted}' AS x; SELECT (true",
    "; " + WRITES,
    WRITES,
    "INSTALL httpfs",
    "a > 0) OR (a > 1",
    "a > 0, b = 'x'",
    "DISTINCT a > 0",
    "a > 0 ORDER BY a",
    "x := a > 0",
    "a > sum(a)",
    "sum(a) OVER () > 0",
    "count(*) > 0",
    "a > 0 FILTER (WHERE true)",
    "COLUMNS(*) > 0",
    "*",
    "#1 > 0",
    "a > $1",
    "a > ?",
    "current_setting('temp_directory') <> ''",
    "getvariable('x') IS NULL",
    "getenv('HOME') <> ''",
    "nextval('s') > 0",
    "random() > 2",
    "sleep_ms(10) IS NULL",
    "write_log('x') IS NULL",
    "error('planted') IS NULL",
    "unnest(l) > 0",
    "main.abs(a) > 0",
    "system.main.abs(a) > 0",
    "query('SELECT 1') > 0",
    "read_text('{secret}') IS NOT NULL",
    "json_serialize_sql('SELECT 1') IS NOT NULL",
    "a > 0 UNION SELECT true",
    "WITH x AS (SELECT 1) SELECT true",
    "",
    "a >",
    "a > 0\x00",
    "a + 1",
    "nonesuch > 0",
    "'" + "x" * 20_000 + "' = b",
    "(" * 3000 + "a > 0" + ")" * 3000,
    "a > 0" + " AND a > 0" * 900 + " AND a > (SELECT 1)",
]


@pytest.mark.parametrize("sentence", BAD, ids=lambda sentence: sentence[:40])
def test_what_is_more_than_that_is_refused_in_one_line_and_touches_nothing(tmp_path, sentence):
    secret, planted = tmp_path / "secret.txt", tmp_path / "planted"
    secret.write_text("s")
    asked = sentence.replace("{secret}", str(secret)).replace("{planted}", str(planted))
    with pytest.raises(InputError, match=r"contracts/t\.yaml: the rule `rule_0` cannot be asked of a row: ") as said:
        audit(contract_of(asked), ROWS, {})
    assert "\n" not in str(said.value)
    assert len(str(said.value)) < 700
    assert list(tmp_path.iterdir()) == [secret]
    # Nothing is left behind for the next table.
    assert audit(contract_of("a > 0"), ROWS, {}).holds


@given(
    st.lists(
        st.sampled_from(
            ["a", ">", "0", "(", ")", "SELECT", "FROM", "staged", ",", ";", "--", "\n", "'x'", "AND", "NOT", "1", "*",
             "COPY", "TO", "abs", "sum", "/*", "*/", "$$", "''", "UNION", "::INTEGER", "[", "]", "->", "x"]
        ),
        max_size=12,
    ).map(" ".join)
)  # fmt: skip
def test_what_is_let_through_is_one_value_a_row(sentence):
    if why_no_sentence(SHARED, sentence) is not None:
        return
    try:
        found = SHARED.execute(f"SELECT NOT (\n({sentence}\n) IS NULL) FROM staged").fetchall()
    except duckdb.Error:
        return
    assert len(found) == 2
    assert all(len(row) == 1 for row in found)
    assert SHARED.execute("SELECT count(*) FROM duckdb_tables()").fetchall() == [(1,)]


def test_a_rule_that_fails_on_a_value_says_itself_and_where_it_stands(tmp_path):
    text = """
table: t
about: x
columns: {a: Int64, b: String, share: Float64}
extra_columns: true
rules:
  - {name: fine, holds: a > 0}
  - {expect: expect_column_values_to_not_be_null, column: a}

  - name: numbers
    holds: CAST(b AS INTEGER) > 0
  - {name: also_fine, holds: share <= 1}
"""
    home = Home(tmp_path)
    (home.data / "contracts").mkdir(parents=True)
    (home.data / "contracts" / "t.yaml").write_text(text)
    with pytest.raises(InputError) as said:
        audit(read_contract(home, "t"), ROWS, {})
    words = str(said.value)
    assert words.startswith("contracts/t.yaml, line 10: the rule `numbers` fails on a value of the table: ")
    assert "Could not convert string 'u1' to INT32" in words
    assert "\n" not in words
    assert audit(contract_of("a > 0"), ROWS, {}).holds


def test_an_expectation_that_cannot_be_evaluated_is_said_in_one_line():
    rules = [
        {"name": "fine", "holds": "a > 0"},
        {"name": "no_number", "expect": "expect_column_mean_to_be_between", "column": "b", "min_value": 0},
    ]
    contract = parse_contract("t", {"table": "t", "columns": COLUMNS, "extra_columns": True, "rules": rules})
    with pytest.raises(InputError, match=r"contracts/t\.yaml: the rule `no_number` could not be evaluated: ") as said:
        audit(contract, ROWS, {})
    assert "\n" not in str(said.value)


def test_all_sentences_that_are_shipped_are_sentences():
    with duckdb.connect() as connection:
        for path in sorted((TEMPLATE / "contracts").glob("*.yaml")):
            for rule in yaml.safe_load(path.read_text())["rules"]:
                if "holds" in rule:
                    sentence = LIST.sub("('a')", str(rule["holds"]))
                    assert why_no_sentence(connection, sentence) is None, rule


def test_a_contract_read_from_a_home_knows_the_lines_of_its_rules():
    contract = read_contract(Home(Path("nowhere")), "release")
    lines = (TEMPLATE / "contracts" / "release.yaml").read_text().splitlines()
    for rule in (*contract.rules, *contract.answerable):
        assert rule.line is not None
        if rule.kind == "holds":
            assert rule.name in lines[rule.line - 1]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM read_parquet('{other}')",
        "SELECT * FROM glob('{folder}/*')",
        "COPY (SELECT 1) TO '{folder}/planted.csv'",
        "ATTACH '{folder}/planted.db'",
        "EXPORT DATABASE '{folder}/planted'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET temp_directory = '{folder}'",
        "SET allowed_directories = ['{folder}']",
        "SELECT * FROM python_variable",
    ],
)
def test_the_database_of_a_staged_file_opens_that_file_and_nothing_else(tmp_path, statement):
    python_variable = ROWS
    staged, other = tmp_path / "staged.parquet", tmp_path / "other.parquet"
    for path in (staged, other):
        python_variable.write_parquet(path)
    with validating(staged, Limits(spill=tmp_path / "spill")) as table:
        assert table.engine.run("SELECT count(*) FROM staged")[0][0] == 2
        with pytest.raises(Exception, match=re.compile("Permission|locked|does not exist|disabled", re.I)):
            table.engine.run(statement.format(other=other, folder=tmp_path))
        table.engine._connection.rollback()
        assert table.engine.run("SELECT count(*) FROM staged")[0][0] == 2
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("planted")]


def test_each_staged_file_has_a_database_of_its_own(tmp_path):
    first, second = tmp_path / "first.parquet", tmp_path / "second.parquet"
    for path in (first, second):
        ROWS.write_parquet(path)
    limits = Limits(spill=tmp_path / "spill")
    with validating(first, limits) as table:
        table.engine.run("CREATE TABLE left_behind AS SELECT 1 AS x")
    with validating(second, limits) as table:
        names = {row[0] for row in table.engine.run("SELECT table_name FROM duckdb_tables()")}
        assert "left_behind" not in names
        with pytest.raises(Exception, match="Permission"):
            table.engine.run(f"SELECT * FROM read_parquet('{first}')")
        table.engine._connection.rollback()


def test_letters_of_all_kinds_are_values_and_not_syntax():
    letters = [letter.replace("'", "''") for letter in string.punctuation + "\u2028\x7f"]
    assert audit(contract_of(*(f"b <> '{letter * 3}'" for letter in letters)), ROWS, {}).holds
