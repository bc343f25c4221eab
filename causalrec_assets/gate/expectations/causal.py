"""What must hold of logs and models for a causal claim to stand, as expectations of Great Expectations.

They are declared in contracts like any other (`{expect: expect_both_arms, treatment: recommended}`), and work in any
suite of Great Expectations that runs on DuckDB:

    import causalrec_assets.gate.expectations.causal as causal
    suite.add_expectation(causal.ExpectOutcomesToBeNested(outcome="purchase", within="click"))

Importing this module imports Great Expectations: import it inside functions.
"""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar

from causalrec_assets.gate.expectations.metrics import quoted
from causalrec_assets.gate.expectations.rows import Questions, RowsExpectation, WordedExpectation

# -- propensities ------------------------------------------------------------------------------------------------------


class ExpectActionPropensitiesToBePossible(RowsExpectation):
    """The chosen item had a probability above 0 and at most 1. NaN is neither; null is asked about by other rules.

    Args:
        action_propensity: The column.
        slack: How far above 1 rounding may lead.
    """

    says = "Action propensities in $action_propensity must be above 0 and at most 1: what was chosen was possible."
    action_propensity: str = "action_propensity"
    slack: float = 0.0
    column_fields = ("action_propensity",)

    def breaks(self) -> str:
        column = quoted(self.action_propensity)
        return f"{column} <= 0 OR {column} > {1 + self.slack!r}"


class ExpectTreatmentPropensitiesToBePossible(RowsExpectation):
    """Both arms were possible for each unit: its probability of being treated is strictly between 0 and 1.

    Args:
        propensity: The column.
    """

    says = "Treatment propensities in $propensity must be strictly between 0 and 1: both arms were possible."
    propensity: str = "propensity"
    column_fields = ("propensity",)

    def breaks(self) -> str:
        return f"{quoted(self.propensity)} <= 0 OR {quoted(self.propensity)} >= 1"


class ExpectRecommendedRoundsToHaveAnActionPropensity(RowsExpectation):
    """Somebody chose each recommended item, with a probability that is known.

    Args:
        recommended: The treatment: 1 for what a recommender showed.
        action_propensity: The column.
    """

    says = "Rows with $recommended = 1 must have an $action_propensity: a round without one cannot be weighted."
    recommended: str = "recommended"
    action_propensity: str = "action_propensity"
    column_fields = ("recommended", "action_propensity")

    def breaks(self) -> str:
        return f"{quoted(self.recommended)} <> 0 AND {quoted(self.action_propensity)} IS NULL"


class ExpectOrganicRoundsToHaveNoActionPropensity(RowsExpectation):
    """Nobody chose an organic row, so it has no probability of having been chosen.

    Args:
        recommended: The treatment: 0 for what a user came upon.
        action_propensity: The column.
    """

    says = "Rows with $recommended = 0 must have no $action_propensity: nobody chose them."
    recommended: str = "recommended"
    action_propensity: str = "action_propensity"
    column_fields = ("recommended", "action_propensity")

    def breaks(self) -> str:
        return f"{quoted(self.recommended)} <> 1 AND {quoted(self.action_propensity)} IS NOT NULL"


# -- slates ------------------------------------------------------------------------------------------------------------


class ExpectSlotsOfASlateToBeDistinct(RowsExpectation):
    """A slot of a slate shows one item. Rows without a request or a position are in no slate.

    Args:
        request: The column that names the slate.
        position: The slot.
    """

    says = "Within a $request each $position must stand once: a slot shows one item."
    request: str = "request_id"
    position: str = "position"
    column_fields = ("request", "position")

    def repeats(self) -> tuple[list[str], str]:
        columns = [self.request, self.position]
        return columns, _all_known(columns)


class ExpectItemsOfASlateToBeDistinct(RowsExpectation):
    """A slate shows an item once. Rows without a request or a position are in no slate.

    Args:
        request: The column that names the slate.
        item: What is shown.
        position: The slot.
    """

    says = "Within a $request each $item that has a $position must stand once: a slate shows an item once."
    request: str = "request_id"
    item: str = "item_id"
    position: str = "position"
    column_fields = ("request", "item", "position")

    def repeats(self) -> tuple[list[str], str]:
        return [self.request, self.item], _all_known([self.request, self.item, self.position])


class ExpectPositionsToStartAtOne(RowsExpectation):
    """Slots are counted from 1.

    Args:
        position: The slot.
    """

    says = "Slots in $position must be counted from 1."
    position: str = "position"
    column_fields = ("position",)

    def breaks(self) -> str:
        return f"{quoted(self.position)} < 1"


# -- outcomes and time -------------------------------------------------------------------------------------------------


class ExpectOutcomesToBeNested(RowsExpectation):
    """An outcome comes of another one only, as a purchase of a click; an outcome that is not known counts as none.

    Args:
        outcome: The later outcome.
        within: The one it comes of.
    """

    says = "Where there is a $outcome there must be a $within."
    outcome: str
    within: str
    column_fields = ("outcome", "within")

    def breaks(self) -> str:
        return f"COALESCE({quoted(self.outcome)}, 0) > COALESCE({quoted(self.within)}, 0)"


class ExpectNoLeakFromTheDay(RowsExpectation):
    """Covariates are as of the end of the day before, so units are of their day: an earlier one would see its future.

    The rows cannot show what the covariates were counted from. `known_until`, the newest day of the history that was
    read, makes that checkable too.

    Args:
        time: When the unit was.
        day: The day it is counted to.
        known_until: The newest day that the covariates know of; each unit must be after it.
    """

    says = "The time in $time must be of the day in $day, as covariates are as of the end of the day before."
    time: str = "time"
    day: str = "day"
    known_until: date | str | None = None
    column_fields = ("time", "day")

    def breaks(self) -> str:
        moment = f"CAST({quoted(self.time)} AS DATE)"
        until = f" OR {moment} <= DATE '{self.known_until}'" if self.known_until else ""
        return f"{moment} <> {quoted(self.day)}{until}"

    @classmethod
    def template(cls, fields: dict[str, Any]) -> str:
        until = " They know of $known_until and before; each unit must be after it."
        return cls.says + (until if fields.get("known_until") else "")


class ExpectDaysToBeWithin(RowsExpectation):
    """The days that a state counts are those it may know: none later than it, none that it has to have forgotten.

    Args:
        day: The column.
        first: The oldest day that counts; without it any.
        last: The day that the state is of.
    """

    says = "Days in $day must lie from $first to $last: a later one leaks, an older one has to be forgotten."
    day: str = "day"
    last: date | str
    first: date | str | None = None
    column_fields = ("day",)

    def breaks(self) -> str:
        older = f" OR {quoted(self.day)} < DATE '{self.first}'" if self.first else ""
        return f"{quoted(self.day)} > DATE '{self.last}'{older}"


# -- what a comparison needs -------------------------------------------------------------------------------------------


class ExpectBothArms(WordedExpectation):
    """There are treated and untreated units, or the effect of the treatment cannot be told.

    Args:
        treatment: A column of 0 and 1.
        least: What share of the units with a known arm each arm has at least.
    """

    says = "Both arms of $treatment must occur: with one arm only its effect cannot be told."
    treatment: str = "recommended"
    least: float = 0.0
    column_fields = ("treatment",)
    metric_dependencies: ClassVar[tuple[str, ...]] = ()

    def questions(self) -> Questions:
        arms = {"treated": 1, "untreated": 0}
        return {
            name: ("rows_that_break.count", {"breaks": f"{quoted(self.treatment)} = {arm}"})
            for name, arm in arms.items()
        }

    def _validate(self, metrics: Any, runtime_configuration: Any = None, execution_engine: Any = None) -> Any:
        treated, untreated = int(metrics["treated"] or 0), int(metrics["untreated"] or 0)
        fewest, known = min(treated, untreated), treated + untreated
        observed = f"{treated:,} treated, {untreated:,} untreated"
        return {"success": fewest > 0 and fewest >= self.least * known, "result": {"observed_value": observed}}


class ExpectOverlap(RowsExpectation):
    """Most units could have had either arm.

    Args:
        propensity: The probability of being treated.
        low: Below it, being treated was out of the question.
        high: Above it, being treated was certain.
        mostly: The share of the units in between.
    """

    says = "A share of $mostly of the units must have a $propensity from $low to $high: they could have had either arm."
    propensity: str = "propensity"
    low: float = 0.01
    high: float = 0.99
    mostly: float = 0.9
    column_fields = ("propensity",)

    def breaks(self) -> str:
        return f"{quoted(self.propensity)} < {self.low!r} OR {quoted(self.propensity)} > {self.high!r}"


class ExpectCovariatesToVary(WordedExpectation):
    """No covariate is constant: one that is explains nothing, and a test of independence takes it for a cause of all.

    Args:
        columns: The covariates.
    """

    says = "Each of $columns must have more than one value: a constant covariate makes tests of independence wrong."
    columns: list[str]
    column_fields = ("columns",)
    metric_dependencies: ClassVar[tuple[str, ...]] = ()

    def questions(self) -> Questions:
        return {"compared": ("columns.constant_and_same", {"columns": list(self.columns)})}

    def _validate(self, metrics: Any, runtime_configuration: Any = None, execution_engine: Any = None) -> Any:
        constant = metrics["compared"]["constant"]
        return {"success": not constant, "result": {"observed_value": f"constant: {', '.join(constant) or 'none'}"}}


class ExpectCovariatesToDiffer(ExpectCovariatesToVary):
    """No two covariates are equal in every row: adjusting for both is adjusting for one, and tests break on them.

    Args:
        columns: The covariates. A constant one is the other expectation's.
    """

    says = "No two of $columns may be equal in every row: a covariate counts once."

    def _validate(self, metrics: Any, runtime_configuration: Any = None, execution_engine: Any = None) -> Any:
        constant = metrics["compared"]["constant"]
        equal = [f"{a} = {b}" for a, b in metrics["compared"]["same"] if a not in constant]
        return {"success": not equal, "result": {"observed_value": f"equal: {', '.join(equal) or 'none'}"}}


class ExpectNoNan(RowsExpectation):
    """No column has a NaN, which tests of independence pass over in silence; what is not known is null.

    Args:
        columns: Columns of floats; the gate gives all of a table as `$float_columns`.
    """

    says = "No NaN in $columns: what is not known is null, a NaN makes tests silently wrong."
    columns: list[str]
    column_fields = ("columns",)

    def breaks(self) -> str:
        return " OR ".join(f"isnan({quoted(c)})" for c in self.columns) or "FALSE"


class ExpectRowsToReconcile(WordedExpectation):
    """Each landed row is published, set aside, forgotten or attributed, once.

    Args:
        landed: How many rows landed.
        set_aside: How many could not be used; the gate counts them itself and gives `$set_aside_rows`.
        forgotten: How many are of users whose rows no table may hold.
        attributed: How many are outcomes that were put to the event they came of.
    """

    says = (
        "Rows reconcile: the published, $set_aside set aside, $forgotten forgotten and $attributed outcomes of other "
        "rows must be the $landed that landed."
    )
    landed: int
    set_aside: int = 0
    forgotten: int = 0
    attributed: int = 0
    metric_dependencies: ClassVar[tuple[str, ...]] = ("table.row_count",)

    def _validate(self, metrics: Any, runtime_configuration: Any = None, execution_engine: Any = None) -> Any:
        published = int(metrics["table.row_count"])
        accounted = published + self.set_aside + self.forgotten + self.attributed
        observed = f"{published:,} published, {accounted:,} accounted for"
        return {"success": accounted == self.landed, "result": {"observed_value": observed}}


def _all_known(columns: list[str]) -> str:
    return " AND ".join(f"{quoted(column)} IS NOT NULL" for column in columns)
