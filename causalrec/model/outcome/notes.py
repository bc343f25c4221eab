"""What the table `outcome_model` says beside its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from causalrec.model.outcome.calibration import OutcomeEvaluation, OutcomeScores

if TYPE_CHECKING:
    # Readers of the notes do not depend on how a model is trained.
    from causalrec.model.outcome.plan import TrainingPlan
    from causalrec.model.outcome.training import Trained


@dataclass(frozen=True, kw_only=True)
class OutcomeModelNotes:
    """Of the table `outcome_model`; one without an answer has none.

    Attributes:
        columns: What the model reads beside the item's content.
        heads: The potential outcomes that it can tell.
        arms: "both", or "shown" where only recommended units could be learned from.
        withheld: Columns that it would read and does not, for no policy may.
        item_content: Whether it reads the item's content.
        divides_by: The question whose treatment propensities its loss divides by; None with "shown".
        log_loss: Outcome -> scores on the judgement days.
        beats_constant: Outcome -> whether the model is better than the constant rate there.
        training_units: How many it was learned from.
        epochs: How many it was trained for.
    """

    columns: tuple[str, ...]
    log_loss: Mapping[str, OutcomeScores]
    heads: tuple[str, ...] = ()
    arms: str = "both"
    withheld: tuple[str, ...] = ()
    item_content: bool = False
    divides_by: str | None = None
    beats_constant: Mapping[str, bool] | None = None
    training_units: int | None = None
    epochs: int | None = None

    @classmethod
    def of(cls, plan: TrainingPlan, trained: Trained, evaluations: Sequence[OutcomeEvaluation]) -> OutcomeModelNotes:
        """Of a training, and of what came of it on the judgement days."""
        model = trained.model
        return cls(
            columns=tuple(model.design.names),
            log_loss={one.outcome: one.scores for one in evaluations},
            heads=tuple(model.heads),
            arms=model.arms,
            withheld=plan.withheld,
            item_content=model.reads_content,
            divides_by=plan.divides_by,
            beats_constant={one.outcome: one.beats_constant for one in evaluations},
            training_units=plan.rows.height,
            epochs=len(trained.curve),
        )
