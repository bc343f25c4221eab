"""What our expectations share: a sentence that people read, a question to DuckDB about rows, a count, and positions.

Importing this module imports Great Expectations: import it inside functions.
"""

from __future__ import annotations

from string import Template
from typing import Any, ClassVar, Literal

from great_expectations.core.result_format import ResultFormat  # noqa: TID253
from great_expectations.expectations.expectation import (  # noqa: TID253
    BatchExpectation,
    render_suite_parameter_string,
)
from great_expectations.expectations.registry import get_metric_kwargs  # noqa: TID253
from great_expectations.render import LegacyRendererType, RenderedStringTemplateContent  # noqa: TID253
from great_expectations.render.renderer.renderer import renderer  # noqa: TID253
from great_expectations.validator.metric_configuration import MetricConfiguration  # noqa: TID253

from causalrec_assets.gate.expectations.limits import POSITION
from causalrec_assets.gate.expectations.metrics import quoted
from causalrec_assets.gate.expectations.sentences import bracketed

Questions = dict[str, tuple[str, dict[str, Any]]]
"""Name -> a metric of the table, and the values that it is given."""


class WordedExpectation(BatchExpectation):  # type: ignore[misc]
    """An expectation that is rendered as one sentence.

    Attributes:
        says: The sentence; `$field` is the field's value.
        column_fields: The fields that name columns of the table.
    """

    says: ClassVar[str] = ""
    column_fields: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def template(cls, fields: dict[str, Any]) -> str:
        """The sentence for these fields, still with `$field`."""
        return cls.says

    @classmethod
    def sentence(cls, fields: dict[str, Any]) -> str:
        """What is expected, in words."""
        return Template(cls.template(fields)).substitute(cls._words(fields))

    @classmethod
    def _words(cls, fields: dict[str, Any]) -> dict[str, str]:
        defaults = {name: field.default for name, field in cls.__fields__.items()}
        named = Template(cls.template(fields)).get_identifiers()
        return {name: _in_words(value) for name, value in {**defaults, **fields}.items() if name in named}

    @classmethod
    def _prescriptive_template(cls, renderer_configuration: Any) -> Any:
        renderer_configuration.template_str = cls.sentence(renderer_configuration.kwargs).replace("$", "$$")
        return renderer_configuration

    @classmethod
    @renderer(renderer_type=LegacyRendererType.PRESCRIPTIVE)  # type: ignore[untyped-decorator]
    @render_suite_parameter_string  # type: ignore[untyped-decorator]
    def _prescriptive_renderer(
        cls,
        configuration: Any = None,
        result: Any = None,
        runtime_configuration: dict[str, Any] | None = None,
        **_: Any,
    ) -> list[Any]:
        shown = configuration if configuration is not None else result.expectation_config
        template: dict[str, Any] = {
            "template": cls.template(shown.kwargs),
            "params": cls._words(shown.kwargs),
            "styling": (runtime_configuration or {}).get("styling"),
        }
        return [RenderedStringTemplateContent(content_block_type="string_template", string_template=template)]

    def questions(self) -> Questions:
        """What is asked of the whole table."""
        return {}

    def get_validation_dependencies(self, execution_engine: Any = None, runtime_configuration: Any = None) -> Any:
        dependencies = super().get_validation_dependencies(execution_engine, runtime_configuration)
        self.ask(dependencies, self.questions(), runtime_configuration)
        return dependencies

    def ask(self, dependencies: Any, questions: Questions, runtime_configuration: Any) -> None:
        """Ask for metrics of the whole table."""
        table = get_metric_kwargs("table.row_count", self.configuration, runtime_configuration)
        for name, (metric, values) in questions.items():
            dependencies.set_metric_configuration(
                metric_name=name,
                metric_configuration=MetricConfiguration(
                    metric_name=metric,
                    metric_domain_kwargs=table["metric_domain_kwargs"],
                    metric_value_kwargs=values or None,
                ),
            )


class RowsExpectation(WordedExpectation):
    """An expectation about each row: `breaks` says in SQL which rows break it, or `repeats` which keys stand once.

    Attributes:
        mostly: The share of the rows that must hold.
    """

    mostly: float = 1.0
    metric_dependencies: ClassVar[tuple[str, ...]] = ("table.row_count",)

    def breaks(self) -> str:
        """True of a row that breaks the expectation, in DuckDB's SQL; null breaks nothing."""
        raise NotImplementedError(f"{type(self).__name__} says neither which rows break it nor what stands once")

    def repeats(self) -> tuple[list[str], str] | None:
        """The columns whose values together stand once, and the rows that are asked."""
        return None

    def get_validation_dependencies(self, execution_engine: Any = None, runtime_configuration: Any = None) -> Any:
        dependencies = super().get_validation_dependencies(execution_engine, runtime_configuration)
        if limit := _positions_wanted(dependencies.result_format):
            kind, values = self._kind()
            positions: Questions = {"positions": (f"{kind}.positions", {**values, "limit": limit})}
            self.ask(dependencies, positions, runtime_configuration)
        return dependencies

    def questions(self) -> Questions:
        kind, values = self._kind()
        return {"count": (f"{kind}.count", values)}

    def _kind(self) -> tuple[str, dict[str, Any]]:
        """Which metrics answer for the rows, and what they are given."""
        if (repeats := self.repeats()) is None:
            return "rows_that_break", {"breaks": self.breaks()}
        return "repeated_rows", {"keys": repeats[0], "where": repeats[1]}

    def _validate(self, metrics: Any, runtime_configuration: Any = None, execution_engine: Any = None) -> Any:
        rows, count = int(metrics["table.row_count"] or 0), int(metrics["count"] or 0)
        result: dict[str, Any] = {"element_count": rows, "unexpected_count": count}
        result["unexpected_percent"] = 100 * count / rows if rows else None
        if "positions" in metrics:
            result["unexpected_index_list"] = [{POSITION: k} for k in metrics["positions"]]
        return {"success": count <= (1 - self.mostly) * rows + 1e-9, "result": result}


class ExpectRowsToHold(RowsExpectation):
    """Each row satisfies a sentence in SQL; null passes, as in a SQL CHECK.

    Args:
        holds: The sentence, in DuckDB's SQL.
        meaning: The same for people; without it the SQL is shown.
    """

    holds: str
    meaning: str = ""

    def breaks(self) -> str:
        return f"NOT {bracketed(self.holds)}"

    @classmethod
    def template(cls, fields: dict[str, Any]) -> str:
        return "Each row must be so: $meaning ($holds)." if fields.get("meaning") else "Each row must be so: $holds."


class ExpectColumnToHaveNoGap(RowsExpectation):
    """A column of floats has neither null nor NaN. (Great Expectations' own not-null takes a NaN for a value in SQL.)

    Args:
        column: A column of floats.
    """

    says = "Values of $column must be there: neither null nor NaN."
    column: str
    column_fields = ("column",)

    def breaks(self) -> str:
        return f"{quoted(self.column)} IS NULL OR isnan({quoted(self.column)})"


class ExpectCombinationToBeUnique(RowsExpectation):
    """A combination of values stands once, a gap being a value like any other.

    Great Expectations' own joins on equality in SQL: it passes over combinations with a gap, holds all rows, and does
    not say where the offending ones are.

    Args:
        column_list: The columns.
        ignore_row_if: `never`, `any_value_is_missing` or `all_values_are_missing`.
    """

    says = "Each combination of $column_list must stand once."
    column_list: list[str]
    ignore_row_if: Literal["never", "any_value_is_missing", "all_values_are_missing"] = "all_values_are_missing"
    column_fields = ("column_list",)

    def repeats(self) -> tuple[list[str], str]:
        gaps = [f"{quoted(c)} IS NULL" for c in self.column_list]
        ignored = {"any_value_is_missing": " OR ".join(gaps), "never": "FALSE"}
        return list(self.column_list), f"NOT ({ignored.get(self.ignore_row_if, ' AND '.join(gaps))})"


class ExpectStatementToBeTrue(WordedExpectation):
    """What the maker of a table states of it as a whole, e.g. that a graph has no cycle.

    Args:
        statement: What is stated.
        holds: Whether it is so.
        otherwise: What is said where it is not.
    """

    says = "As computed with the table: $statement."
    statement: str
    holds: bool
    otherwise: str = "it is not so"
    metric_dependencies: ClassVar[tuple[str, ...]] = ()

    def _validate(self, metrics: Any, runtime_configuration: Any = None, execution_engine: Any = None) -> Any:
        return {"success": self.holds, "result": {"observed_value": "it is so" if self.holds else self.otherwise}}


def _positions_wanted(result_format: Any) -> int:
    """How many positions of offending rows a caller wants."""
    wanted = isinstance(result_format, dict) and result_format.get("result_format") == ResultFormat.COMPLETE
    named = (result_format.get("unexpected_index_column_names") or ()) if wanted else ()
    return int(result_format["partial_unexpected_count"]) if POSITION in named else 0


def _in_words(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "no column"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
