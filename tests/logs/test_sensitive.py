"""Who may let a policy read a sensitive attribute, and how that is said."""

import pytest

from causalrec.answers import InputError
from causalrec.home import Home
from causalrec.logs.sensitive import refuse_withheld
from causalrec.settings.policy import Allowance, Allowed
from causalrec_assets.common.reads import withheld_from_policies
from causalrec_assets.lake.inputs import Inputs
from causalrec_assets.lake.store import Store
from tests.logs.worlds import FIRST, source

SHOP = source(users={"columns": {"user_id": "id", "age": "age", "plan": "plan"}, "sensitive": ["age"]})
ENTRY = {"column": "age", "who": "the board", "why": "offers for the young"}


@pytest.fixture
def attempt(tmp_path):
    """A function that begins an attempt in a home whose policy.yaml says something."""

    def begin(policy):
        home = Home(tmp_path)
        home.data.mkdir(exist_ok=True)
        (home.data / "policy.yaml").write_text(policy)
        return Inputs(home, Store(home.lake), "outcome_model", "code", FIRST, "run")

    return begin


def test_a_sensitive_attribute_is_withheld_until_somebody_allows_it_and_says_why(attempt):
    assert withheld_from_policies(attempt("temperature: 1\n"), SHOP) == {"age"}
    allowed = "allow_sensitive: [{column: age, who: the board, why: offers for the young}]\n"
    assert withheld_from_policies(attempt(allowed), SHOP) == frozenset()


def test_only_what_is_allowed_is_an_input_not_the_policys_other_dials(attempt):
    recorded = []
    for policy in ("temperature: 1\n", "temperature: 2\n", "allow_sensitive: [{column: age, who: a, why: b}]\n"):
        inputs = attempt(policy)
        withheld_from_policies(inputs, SHOP)
        recorded.append(inputs.recorded["key:policy.yaml:allow_sensitive"])
        assert "setting:policy.yaml" not in inputs.recorded
    assert recorded[0] == recorded[1] != recorded[2]


def test_allowing_what_is_not_declared_sensitive_is_an_error(attempt):
    inputs = attempt("allow_sensitive: [{column: agee, who: a, why: b}]\n")
    with pytest.raises(InputError, match=r"agee.*sensitive attributes are .'age'."):
        withheld_from_policies(inputs, SHOP)


@pytest.mark.parametrize(
    "value",
    ["age", ["age"], [{"column": "age"}], [{**ENTRY, "who": " "}], [{**ENTRY, "why": 3}], [{**ENTRY, "when": "now"}]],
)
def test_an_entry_says_column_who_and_why(value):
    with pytest.raises(InputError, match=r"policy.yaml.*allow_sensitive"):
        Allowance.parse({"allow_sensitive": value})


def test_nothing_or_entries_are_read():
    assert Allowance.parse({"allow_sensitive": None}) == Allowance.parse({"allow_sensitive": []}) == Allowance()
    allowed = Allowed(column="age", who="the board", why="offers for the young")
    assert Allowance.parse({"allow_sensitive": [ENTRY]}).allow_sensitive == (allowed,)


def test_a_policy_that_reads_what_it_may_not_is_refused_with_what_to_do():
    refuse_withheld("the champion", ["plan"], {"age"})
    with pytest.raises(InputError, match=r"the champion reads .'age'.*roll back"):
        refuse_withheld("the champion", ["age", "plan"], {"age"})
