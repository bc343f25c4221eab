"""What a contract may say of each row in SQL: one expression over the table's columns, and nothing else.

DuckDB's own parser reads a sentence; what it made of it is then compared with what a sentence may be made of. So no
sentence has a query, another table, a file, a setting or a statement in it, however it is spelt, and none depends on
more than the row. Functions are DuckDB's scalar ones that compute a value from values.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

KINDS = {
    "COLUMN_REF", "CONSTANT", "COMPARISON", "CONJUNCTION", "OPERATOR", "FUNCTION", "CASE", "CAST", "BETWEEN",
    "LAMBDA", "COLLATE", "TYPE",
}  # fmt: skip
"""Of expressions."""
IN_WORDS = {
    "SUBQUERY": "a query inside (or `= ANY(...)`)",
    "WINDOW": "a window over other rows (`OVER`)",
    "STAR": "`*`",
    "PARAMETER": "a parameter (`?` or `$1`)",
    "POSITIONAL_REFERENCE": "a column by its number (`#1`)",
    "DEFAULT": "`DEFAULT`",
}
OF_THE_SESSION = {
    "alias", "can_cast_implicitly", "cast_to_type", "combine", "constant_or_null", "create_sort_key",
    "current_connection_id", "current_database", "current_query", "current_query_id", "current_schema",
    "current_schemas", "current_setting", "current_transaction_id", "currval", "error", "finalize", "from_json",
    "from_json_strict", "get_type", "getvariable", "in_search_path", "index_key", "invoke",
    "is_histogram_other_bin", "json_deserialize_sql", "json_serialize_plan", "json_serialize_sql", "json_transform",
    "json_transform_strict", "nextval", "parse_duckdb_log_message", "remap_struct", "replace_type", "stats",
    "to_aggregate_state", "txid_current", "unpivot_list", "vector_type", "version", "write_log",
}  # fmt: skip
"""Scalar functions that read or change the session, fail on purpose, or serve DuckDB itself."""
MACROS = {
    "array_append", "array_pop_back", "array_pop_front", "array_prepend", "array_push_back", "array_push_front",
    "array_reverse", "array_to_string", "date_add", "days_in_month", "fdiv", "if", "list_any_value", "list_append",
    "list_avg", "list_bit_and", "list_bit_or", "list_bit_xor", "list_bool_and", "list_bool_or", "list_count",
    "list_first", "list_last", "list_max", "list_median", "list_min", "list_mode", "list_prepend", "list_product",
    "list_reverse", "list_stddev_pop", "list_stddev_samp", "list_string_agg", "list_sum", "list_var_pop",
    "list_var_samp", "map_contains_entry", "map_contains_value", "nullif", "split_part",
}  # fmt: skip
"""DuckDB's macros that are expressions of scalar functions."""
SCALAR = """SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type = 'scalar' AND internal
AND stability IN ('CONSISTENT', 'CONSISTENT_WITHIN_QUERY') AND NOT starts_with(function_name, '__internal')"""
LONGEST = 10_000


def bracketed(sentence: str) -> str:
    """A sentence as part of a query; a comment at its end does not swallow the bracket."""
    return f"(\n{sentence}\n)"


def why_no_sentence(connection: Any, sentence: str) -> str | None:
    """Why a sentence may not be asked of each row; None where it may. Columns and types are not looked at.

    Args:
        connection: DuckDB's own.
    """
    if len(sentence) > LONGEST:
        return f"it has {len(sentence):,} characters, at most {LONGEST:,} are read"
    # As the one argument of a function: what ends the bracket and begins another thing would leave more than that.
    query = f"SELECT sentence{bracketed(sentence)}"
    try:
        read = json.loads(connection.execute("SELECT json_serialize_sql(?::VARCHAR)", [query]).fetchone()[0])
    except RecursionError:
        return "it is nested too deeply"
    if read.get("error"):
        if "Only SELECT" in str(read.get("error_message")):
            return "it holds a statement; a sentence is one expression about a row"
        return f"it is no expression in SQL: {str(read.get('error_message')).partition(chr(10))[0]}"
    tree = _only_argument(read.get("statements", ()))
    if tree is None:
        return "it is more than one expression about a row"
    return next(_refused(tree, _functions()), None)


@cache
def _functions() -> frozenset[str]:
    """The functions that a sentence may use."""
    import duckdb

    with duckdb.connect() as connection:
        scalar = {name for (name,) in connection.execute(SCALAR).fetchall()}
    return frozenset(scalar - OF_THE_SESSION | MACROS)


def _only_argument(statements: Any) -> Any:
    """The expression; None where there is anything beside it."""
    if len(statements) != 1:
        return None
    node = statements[0]["node"]
    beside: dict[str, Any] = {
        "modifiers": [],
        "cte_map": {"map": []},
        "where_clause": None,
        "group_expressions": [],
        "group_sets": [],
        "having": None,
        "sample": None,
        "qualify": None,
    }
    if node["type"] != "SELECT_NODE" or any(node.get(key) != value for key, value in beside.items()):
        return None
    listed = node["select_list"]
    if node["from_table"]["type"] != "EMPTY" or len(listed) != 1 or listed[0].get("function_name") != "sentence":
        return None
    call = listed[0]
    plain = call["class"] == "FUNCTION" and not call["alias"] and _is_plain(call)
    if not plain or len(call["arguments"]) != 1 or call["arguments"][0]["name"]:
        return None
    return call["arguments"][0]["expression"]


def _is_plain(call: Mapping[str, Any]) -> bool:
    """Whether a function is called with arguments and nothing else."""
    named = call["schema"] or call["catalog"]
    return not (named or call["filter"] or call["order_bys"]["orders"] or call["distinct"] or call["export_state"])


def _refused(tree: Any, functions: frozenset[str]) -> Iterator[str]:
    """What a sentence has in it and may not have."""
    waiting = [tree]
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting += part
        if not isinstance(part, dict):
            continue
        waiting += part.values()
        kind = part.get("class")
        if kind is not None and kind not in KINDS:
            yield f"it has {IN_WORDS.get(kind, kind.lower().replace('_', ' '))}; a sentence looks at one row"
        if kind == "FUNCTION":
            name = str(part["function_name"]).lower()
            if part["schema"] or part["catalog"]:
                yield f"`{'.'.join(part['qualified_name']['path'])}()` names a schema; write the function's name alone"
            elif name not in functions:
                yield f"the function `{name}` is none that computes a value from the values of a row"
            elif not _is_plain(part):
                yield f"`{name}` is called like an aggregate; a sentence looks at one row"
        if kind == "TYPE" and (part.get("schema") or part.get("catalog")):
            yield "a type is named with a schema; write its name alone"
