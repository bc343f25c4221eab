from collections.abc import Mapping

from causalrec.settings.release import ReleaseRule


def release_rule(
    rounds: float, gap: float, share: float, margin: float, sheet: Mapping[str, str], outcomes: float = 0
) -> ReleaseRule:
    """A rule, that asks for no number of outcomes unless one is given."""
    return ReleaseRule(
        min_effective_rounds=rounds,
        max_mean_weight_gap=gap,
        max_weight_share=share,
        revenue_margin=margin,
        answer_sheet=dict(sheet),
        min_effective_outcomes=outcomes,
    )
