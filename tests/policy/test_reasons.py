from causalrec.policy.reasons import ranked_by, reason


def test_a_reason_speaks_of_both_potential_outcomes() -> None:
    sentence = reason(0.12, 0.08, 0.5, "its revenue", explored=False)
    effect, money, why = sentence.split("; ")
    assert effect == "Recommending it raises the chance of a click from 8.0% to 12.0%"
    assert (money, why) == ("expected revenue 0.50", "ranked high by its revenue.")


def test_a_loss_is_called_a_loss() -> None:
    assert "lowers the chance of a click from 12.0% to 8.0%" in reason(
        0.08, 0.12, None, "its satisfaction", explored=False
    )


def test_where_only_the_shown_arm_was_seen_no_effect_is_claimed() -> None:
    sentence = reason(0.12, None, None, "its satisfaction", explored=False)
    assert "never logged" in sentence
    assert "raises" not in sentence
    assert "revenue" not in sentence


def test_exploration_is_named() -> None:
    assert reason(0.02, 0.02, None, "its satisfaction", explored=True).endswith("shown to learn more about it.")


def test_a_reason_speaks_of_the_form() -> None:
    assert ranked_by("do", money=True) == "its revenue"
    assert ranked_by("total", money=False) == "the satisfaction of the whole request"
    assert ranked_by("effect_given_met", money=True) == "what recommending adds to its revenue"
