"""The named values of a policy."""

from __future__ import annotations

from causalrec.evaluation.estimands.beyond import LATER_DAYS, WHOLE_SLATE
from causalrec.evaluation.estimands.given_met import GivenMet
from causalrec.evaluation.estimands.given_not_shown import GivenNotShown
from causalrec.evaluation.estimands.own_and_organic import OwnAndOrganic
from causalrec.evaluation.estimands.protocol import Columns, Estimand, Logs
from causalrec.evaluation.estimands.raw import Raw
from causalrec.evaluation.estimands.total import Total
from causalrec.registry import by_name

__all__ = ["ESTIMANDS", "Columns", "Estimand", "Logs"]

ESTIMANDS: dict[str, Estimand] = by_name(
    Raw(), GivenMet(), GivenNotShown(), OwnAndOrganic(), Total(), WHOLE_SLATE, LATER_DAYS
)
"""In the order of the report's rows."""
