"""The report says every answer in words, and fetches nothing."""

import re
from datetime import date
from html import unescape

import polars as pl
import pytest

from causalrec.answers import ANSWERED, insufficient_evidence, not_available, not_identifiable
from causalrec.evaluation import effects as effect_report
from causalrec.evaluation import policy_values as off_policy
from causalrec.evaluation.attributes import AttributeUse
from causalrec.evaluation.findings import Gap, diagnostics, find_gaps
from causalrec.evaluation.plots import effects_plot, policy_plot
from causalrec.evaluation.report.html import Story, merged, render
from causalrec.evaluation.report.policy_rows import policy_rows
from causalrec.evaluation.stated import Stated
from causalrec.evaluation.verdict import Decision, Verdict
from causalrec.graph.discovery.notes import EdgeDisagreement
from causalrec.graph.discovery.result import Dropped
from causalrec.graph.knowledge.conflicts import Conflict
from causalrec.logs.clusters import ClusterCounts
from causalrec.model.outcome.calibration import OutcomeScores

DAYS = {"first_day": date(2026, 3, 12), "last_day": date(2026, 3, 15)}
GAP = {"status": "insufficient_evidence", "reason": "2 effective rounds of 10,000"}
CONFLICT = Conflict(
    edge="price - click",
    says="kept",
    strength=None,
    p_value=0.2,
    confidence=None,
    direction_confidence=None,
    who="shop",
    why="dear",
    when="",
    line=1,
)
MODEL = {"click": OutcomeScores(0.30, 0.35), "purchase": OutcomeScores(0.2, 0.1)}


def value(estimator, estimate, policy="challenger", segment="everyone", metric="satisfaction", **others):
    row = {
        "segment": segment,
        "policy": policy,
        "estimand": "raw",
        "metric": metric,
        "estimator": estimator,
        "estimate": estimate,
        "lower": estimate and estimate * 0.9,
        "upper": estimate and estimate * 1.1,
        "baseline": "logging policy",
        "rounds": 10_000,
        "effective_rounds": 2000.0,
        "effective_outcomes": 200.0,
        "mean_weight": 1.0,
        "max_weight": 9.0,
        "status": "answered",
        "reason": "",
        **DAYS,
    }
    if estimator in ("ips", "snips", "dm", "dr") and estimate:
        row |= {
            "difference": estimate - 0.1,
            "difference_lower": estimate - 0.12,
            "difference_upper": estimate - 0.08,
        }
    return row | others


def values(**keys):
    numbers = {"ips": 0.2, "snips": 0.21, "dm": 0.3, "dr": 0.22, "logged_mean": 0.1}
    return [value(name, number, **keys) for name, number in numbers.items()]


def gaps(**keys):
    return [value(name, None, **keys, **GAP) for name in ("ips", "snips", "dm", "dr")] + [
        value("logged_mean", 0.1, **keys)
    ]


JUDGED = pl.DataFrame(
    [
        *values(),
        *values(metric="revenue"),
        *gaps(segment="section=women"),
        *values(policy="uniform"),
        value("answer_sheet_mean", 0.5, policy="uniform", effective_rounds=None),
    ],
    schema=off_policy.SCHEMA,
)
EFFECTS = pl.DataFrame(
    [
        {
            "question": "a",
            "treatment": "recommended",
            "outcome": "click",
            "status": "answered",
            "reason": "",
            "naive": 0.3,
            "naive_lower": 0.2,
            "naive_upper": 0.4,
            "snips": 0.1,
            "snips_lower": 0.0,
            "snips_upper": 0.2,
            "causal": 0.1,
            "causal_lower": 0.05,
            "causal_upper": 0.15,
            "effective_treated": 10.0,
            "effective_control": 20.0,
            "overlap_share": 0.99,
            "calibration_error": 0.01,
            "e_value": 2.0,
            "e_value_limit": 1.5,
            "assumptions": "Consistency: and so on.",
            "verdict": "Recommending raises it.",
        },
        {
            "question": "b",
            "treatment": "recommended",
            "outcome": "purchase",
            "status": "not_identifiable",
            "reason": "only recommended rows were logged; run an experiment",
            "assumptions": "",
            "verdict": "Cannot be told (not identifiable): only recommended rows were logged.",
        },
    ],
    schema=effect_report.schema(),
)
ANSWERS = {
    "users": not_available("no user id; log one"),
    "history": not_available("no user id; log one"),
    "items": ANSWERED,
}


EDGES = [
    {
        "source": "price",
        "target": "click",
        "mark": "directed",
        "provenance": "both",
        "strength": 0.123,
        "p_value": 0.0,
        "confidence": 0.96,
        "direction_confidence": 1.0,
        "who": "shop",
        "why": "dear",
        "when": "2026-03-01",
    }
]


def story(**changes):
    fields = {
        "source": "shop",
        "about": "A <made-up> shop.",
        "day": "2026-03-15",
        "train": "2026-03-02 to 2026-03-11",
        "judge": "2026-03-12 to 2026-03-15",
        "cluster": "user_id",
        "satisfying": "click",
        "rule": "The rule.",
        "verdict": Verdict(Decision.BETTER, "From 10 % to 22 %."),
        "off_policy": JUDGED,
        "effects": EFFECTS,
        "gaps": find_gaps(ANSWERS, EFFECTS, JUDGED),
        "diagnostics": diagnostics(EFFECTS, JUDGED, MODEL),
        "graph": None,
        "graph_reason": "too few days",
        "dropped": [Dropped("rating", "not logged")],
        "conflicts": [CONFLICT],
        "edges": pl.DataFrame(EDGES),
        "draws": "50 draws of users",
        "disagreements": [EdgeDisagreement("price -> click", "click <-> price", "a common cause", 0.8)],
    }
    return Story(**(fields | changes))


@pytest.fixture(scope="module")
def html():
    return render(story())


def text(html):
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


def test_nothing_is_fetched(html):
    assert not re.findall(r"""(?:src|href)\s*=\s*["']?(?!data:|#)[^"'\s>]+|https?://|//[a-z]+\.|@import|url\(""", html)


def test_the_verdict_comes_first(html):
    words = text(html)
    assert words.index("Release the new policy") < words.index("What would change") < words.index("The causal graph")


@pytest.fixture
def no_pictures(monkeypatch):
    """Where only words are asked about: drawing takes most of the time."""
    monkeypatch.setattr("causalrec.evaluation.report.html._plots", lambda _: {})


@pytest.mark.parametrize("verdict", list(Decision))
def test_each_verdict_is_a_sentence(no_pictures, verdict):
    html = render(story(verdict=Verdict(verdict, "Because.")))
    assert {
        "better": "it is better than what serves now",
        "not_better": "the new policy is not better",
        "insufficient_evidence": "too little evidence",
        "not_available": "the logs lack what it takes",
        "not_identifiable": "logs made in this way cannot tell",
        "wait": "no look is due",
    }[verdict.value] in text(html)


@pytest.mark.parametrize(
    "words",
    [
        "table users; table history not available no user id; log one.",
        "How sure: 50 draws of users; a cause that nobody logged gives an edge that every draw finds.",
        "price -> click is read as click <-> price by FCI, which allows for causes that nobody logged (in 80 % of the",
        "price → click both 0.123 96 % 100 % shop: dear",
        "effect of recommended on purchase not identifiable only recommended rows were logged; run an experiment.",
        "satisfaction of the new policy (challenger), section=women insufficient evidence 2 effective "
        "rounds of 10,000.",
        "There is no graph: too few days.",
        "Not in the graph (not logged): rating",
        "conflict price - click : kept (p = 0.2). shop: dear.",
        "the outcome model beats the constant rate",
        "the outcome model does NOT beat the constant rate",
    ],
)
def test_every_answer_is_said_in_words(html, words):
    assert words in text(html)


def test_the_challenger_stands_beside_what_is_now_and_what_the_model_alone_promises(html):
    words = text(html)
    assert "10.00 % → 22.00 %" in words
    assert "+12.00 points (95 % interval +10.00 to +14.00) against the logging policy" in words
    assert "the model's own promise: 30.00 %" in words


def test_words_of_the_source_are_escaped(html):
    assert "A &lt;made-up&gt; shop." in html


def test_a_report_without_any_number_is_still_one():
    empty = JUDGED.clear()
    numberless = story(
        off_policy=empty,
        effects=EFFECTS.tail(1),
        gaps=[Gap("everything", insufficient_evidence("no days"))],
        diagnostics=[],
        verdict=Verdict(Decision.INSUFFICIENT_EVIDENCE, "There is no challenger to judge: no days."),
    )
    words = text(render(numberless))
    assert "No policy could be judged" in words
    assert "nothing to trust" in words


def test_gaps_with_one_reason_share_a_line():
    lines = merged(
        [Gap("a", not_identifiable("why")), Gap("b", not_identifiable("why")), Gap("c", not_available("why"))]
    )
    assert [line["subject"] for line in lines] == ["a; b", "c"]


def test_estimators_that_lack_the_same_evidence_make_one_gap():
    gaps = find_gaps({}, EFFECTS.clear(), JUDGED)
    assert [gap.subject for gap in gaps] == ["satisfaction of the new policy (challenger), section=women"]


def test_an_answer_sheet_that_an_estimate_does_not_meet_is_a_worry():
    worries = {
        line.words: line.worry
        for line in diagnostics(EFFECTS.clear(), JUDGED, {})
        if line.what.startswith("answer sheet")
    }
    assert all(worries.values())
    assert any(words.startswith("DR from other logs") and "do not meet" in words for words in worries)


def test_the_challenger_is_the_first_row():
    assert next(iter(policy_rows(JUDGED.reverse())))["policy"] == "challenger"


def test_what_rounds_to_0_has_no_minus_sign():
    frame = pl.DataFrame(values(), schema=off_policy.SCHEMA).with_columns(lower=pl.lit(-0.00001))
    assert policy_rows(frame)[0]["values"]["dr"]["interval"].startswith("0.00 to")


def test_plots_are_png_and_there_is_none_without_numbers():
    assert effects_plot(EFFECTS).startswith(b"\x89PNG")
    assert policy_plot(JUDGED).startswith(b"\x89PNG")
    assert effects_plot(EFFECTS.tail(1)) is None
    assert policy_plot(JUDGED, segments=["section=women"]) is None


def test_units_that_name_nobody_are_counted_beside_the_intervals():
    counts = ClusterCounts("user_id", rows=1000, by_request=300, alone=600)
    lines = diagnostics(EFFECTS, JUDGED, {}, {"Effects": counts, "Policies": None})
    (line,) = [line for line in lines if "without a user" in line.what]
    assert (line.group, line.number) == ("Effects", "900 of 1,000")
    assert "300 of them count with their request and 600 each by itself" in line.words


def test_where_all_units_name_their_cluster_nothing_is_said_of_it():
    counts = ClusterCounts("user_id", rows=1000, by_request=0, alone=0)
    assert not [line for line in diagnostics(EFFECTS, JUDGED, {}, {"Effects": counts}) if "without" in line.what]


def test_the_settings_that_shaped_the_verdict_are_printed_with_who_stated_them(no_pictures):
    stated = [
        Stated("objective.yaml", "margin", "0.3", "stated"),
        Stated("model.yaml", "folds", "3", "default", ("effects",)),
        Stated("", "confidence level of every interval", "95%", "fixed"),
        Stated("expert_graph.yaml", "required", "a -> b (<script>Eve</script>, now: x)", "stated"),
    ]
    html = render(story(settings=stated))
    words = text(html)
    assert "Stated by this home (2)" in words and "objective.yaml: margin 0.3" in words
    assert "Defaults, not stated by this home (1)" in words and "Fixed in the code (1)" in words
    assert "the file has changed since effects was made from it" in words
    assert "<script>Eve" not in html


def test_what_is_known_of_users_is_said_with_what_it_was_used_for(no_pictures):
    uses = [AttributeUse("age", "sensitive number", "adjusted for in q1", "not read: it is sensitive")]
    assert "age sensitive number adjusted for in q1 not read: it is sensitive" in text(render(story(attributes=uses)))
    assert "What is known of users" not in text(render(story()))
