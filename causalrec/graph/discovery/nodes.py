"""Which columns of `units` become nodes, in which tier, and which are left out and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from causalrec.answers import InputError
from causalrec.arrays import Floats
from causalrec.graph.discovery.collinear import Raw, follows_from
from causalrec.graph.discovery.result import Dropped
from causalrec.graph.independence.columns import MAX_LEVELS, Column, Levels, Numbers, as_column, is_nominal, numbers
from causalrec.graph.roles import KNOWN_BEFORE, NOT_THERE, tier_of


@dataclass(frozen=True)
class Node:
    """A column as a test sees it (`MeasuredColumn`).

    Attributes:
        how: What was made of the column, in words.
        values: As it was logged.
    """

    name: str
    tier: int
    block: Column | Floats
    how: str = ""
    values: pl.Series | None = field(default=None, repr=False, compare=False)


def choose_nodes(
    units: pl.DataFrame,
    roles: Mapping[str, str],
    outcomes: Sequence[str],
    tiers: Mapping[str, int] | None = None,
) -> tuple[list[Node], list[Dropped]]:
    """Turn covariates, treatment and the questions' outcomes into nodes.

    What becomes of a column, and is said in `Node.how` or `Dropped.reason`:

    - missing (not in the frame, or without a value): dropped.
    - constant: dropped. A nominal covariate of one level and gaps is kept: whether it has a value varies.
    - duplicate: a covariate that is a one-to-one function of an earlier node, whatever their types, is dropped.
    - collinear: a covariate that is a linear function of other covariates and the treatment (a sum of counts; a
      department of a category) is dropped, the last one first: given what it follows from, it is independent of
      everything, and the search would take its edges for nobody's.
    - gaps of a covariate: a level of their own (nominal), or an indicator in the number's block. So what is tested and
      conditioned on is what was logged, a value or none; nothing is made up for a gap. Where an unseen value acts on
      others, an edge may be left that the value would have explained.
    - gaps of a treatment, mediator or outcome: the column exists on a part of the rows only (`position` on recommended
      ones). No test on all rows can see it, so it is left to the expert graph.

    Args:
        units: The window's units.
        roles: Column -> role.
        outcomes: The outcomes that questions ask about.
        tiers: The number of each column's tier; without them that of `tier_of`.
    """
    nodes: list[Node] = []
    dropped: list[Dropped] = []
    causal = (*KNOWN_BEFORE, "treatment", "mediator")
    taken = [c for c, role in roles.items() if role in causal or (role == "outcome" and c in outcomes)]
    for column in taken:
        role = roles[column]
        if column not in units.columns or units[column].null_count() == units.height:
            dropped.append(Dropped(column, NOT_THERE))
            continue
        values = units[column]
        if (gone := _constant(values, role)) is not None:
            dropped.append(gone)
        elif role in ("mediator", "treatment", "outcome") and values.null_count():
            dropped.append(Dropped(column, "exists on a part of the rows only; left to the expert graph"))
        else:
            nodes.append(_node(values, tier_of(column, role) if tiers is None else tiers[column]))
    covariates = {column for column in taken if roles[column] in KNOWN_BEFORE}
    explain = covariates | {column for column in taken if roles[column] == "treatment"}
    nodes, more = _independent(units, nodes, covariates, explain)
    return nodes, dropped + more


def plain_nodes(frame: pl.DataFrame, tiers: Mapping[str, int]) -> tuple[list[Node], list[Dropped]]:
    """The nodes of a frame without roles: each column is handled as a covariate is by `choose_nodes`.

    Args:
        tiers: Column -> its tier; others are of tier 0.
    """
    nodes: list[Node] = []
    dropped: list[Dropped] = []
    for column in frame.columns:
        values = frame[column]
        if values.null_count() == len(values):
            dropped.append(Dropped(column, "no row has a value"))
        elif (gone := _constant(values, "pre_treatment")) is not None:
            dropped.append(gone)
        else:
            nodes.append(_node(values, tiers.get(column, 0)))
    nodes, more = _independent(frame, nodes, set(frame.columns), set(frame.columns))
    return nodes, dropped + more


def column_policies(nodes: Sequence[Node], dropped: Sequence[Dropped]) -> pl.DataFrame:
    """What was made of each column, for people: column, node (whether it is one), how."""
    rows = [(n.name, True, n.how) for n in nodes] + [(d.column, False, d.reason) for d in dropped]
    return pl.DataFrame(rows, schema={"column": pl.String, "node": pl.Boolean, "how": pl.String}, orient="row")


def _constant(values: pl.Series, role: str) -> Dropped | None:
    present = values.drop_nulls()
    if present.n_unique() > 1 or (values.null_count() and role in KNOWN_BEFORE and is_nominal(values)):
        return None
    who = "every unit that has one" if values.null_count() else "every unit"
    return Dropped(values.name, f"constant: {who} has {present[0]}")


def _independent(
    frame: pl.DataFrame, nodes: list[Node], covariates: set[str], explain: set[str]
) -> tuple[list[Node], list[Dropped]]:
    """Without the covariates that say nothing that others do not say: duplicates, then linear functions."""
    kept: list[Node] = []
    dropped: list[Dropped] = []
    distinct = {node.name: frame[node.name].n_unique() for node in nodes}
    for node in nodes:
        same = next((n for n in kept if node.name in covariates and _one_to_one(frame, n, node, distinct)), None)
        if same is None:
            kept.append(node)
        else:
            reason = f"duplicate: it is a function of `{same.name}`, one to one"
            dropped.append(Dropped(node.name, reason, same.name))
    raw = {node.name: _raw(frame[node.name], node) for node in kept if node.name in explain}
    for name, others in follows_from(raw, [n.name for n in kept if n.name in covariates]).items():
        reason = f"collinear: it is a linear function of {', '.join(f'`{other}`' for other in others)}"
        dropped.append(Dropped(name, reason, follows_from=others))
    gone = {d.column for d in dropped}
    return [node for node in kept if node.name not in gone], dropped


FEWEST_TO_COMPARE = 12
"""Of fewer rows, that two columns say the same may be chance."""


def _node(values: pl.Series, tier: int) -> Node:
    """A column as its block: nominal ones by level; numbers, dates and ordered levels (`pl.Enum`) by rank."""
    if is_nominal(values):
        text = values.cast(pl.String)
        counts = text.value_counts(sort=True, name="n").sort(["n", text.name], descending=[True, False])
        names = [name if name is not None else "(missing)" for name in counts[text.name]]
        # The commonest level is the reference.
        codes = text.fill_null("(missing)").replace_strict(
            {name: min(k, MAX_LEVELS - 1) for k, name in enumerate(names)}, return_dtype=pl.UInt8
        )
        levels = min(len(names), MAX_LEVELS)
        how = f"nominal, {len(names)} levels" + (f", the rarest as one of {MAX_LEVELS}" if len(names) > levels else "")
        if gaps := text.null_count():
            how += f"; {gaps} gaps are a level of their own"
        return Node(values.name, tier, Levels(codes.to_numpy(), levels), how, values)
    block = numbers(*_values(values))
    kind = "ordered levels" if isinstance(values.dtype, pl.Enum) else "number"
    how = f"{kind}, by rank" + ("" if block.powers == 1 else f", with {block.powers - 1} polynomials of it")
    if block.gap is not None:
        how += f"; {int(block.gap.sum())} gaps are an indicator of their own"
    return Node(values.name, tier, block, how, values)


def _values(values: pl.Series) -> tuple[Floats, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """A column as numbers, 0 at gaps, and where its gaps are.

    Raises:
        InputError: The column is a list, a struct or another type that is neither ranked nor nominal.
    """
    if not (values.dtype.is_numeric() or values.dtype.is_temporal() or isinstance(values.dtype, pl.Enum)):
        raise InputError(
            f"column `{values.name}` is {values.dtype}: a node is a number, a date, text or levels; leave it out or "
            "cast it"
        )
    numeric = values.to_physical().cast(pl.Float64).fill_nan(None)
    return numeric.fill_null(0.0).to_numpy(), numeric.is_null().to_numpy()


def _raw(values: pl.Series, node: Node) -> Raw:
    """What linear dependence is looked for in: a number as it is, not its rank."""
    if isinstance(node.block, Numbers):
        numeric, gap = _values(values)
        return Raw(numeric, gap)
    return Raw(None, None, as_column(node.block))


def _one_to_one(frame: pl.DataFrame, a: Node, b: Node, distinct: Mapping[str, int]) -> bool:
    # Two columns of three rows are in one order, or in opposite ones, in a third of all samples.
    if distinct[a.name] != distinct[b.name] or frame.height < FEWEST_TO_COMPARE:
        return False
    if isinstance(a.block, Numbers) and isinstance(b.block, Numbers):
        first, second = (np.zeros(0, bool) if n.gap is None else n.gap for n in (a.block, b.block))
        x, y = (n.scores.astype(np.float64) for n in (a.block, b.block))
        if np.array_equal(first, second) and abs(x @ y) > (1 - 1e-9) * np.sqrt((x @ x) * (y @ y)):
            return True
    # Of two columns that hardly repeat a value each is a function of the other in any sample.
    if distinct[a.name] > 0.9 * frame.height:
        return False
    return bool(frame.select(pl.struct(a.name, b.name).n_unique()).item() == distinct[a.name])
