"""The trial log as trials: which one runs, what became of it, and what a partition's runs have written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from causalrec.evaluation.trials.trial import Look, Refresh, Trial
from causalrec_assets.lake.notes import from_json, to_json
from causalrec_assets.lake.trials import Kind, TrialEntry, TrialLog


@dataclass(frozen=True)
class Recorded:
    """A trial of the log.

    Attributes:
        entry: The entry that opened it; its name.
        bundle: Its challenger, as `make_bundle` gives it.
        rule: `release.yaml` as it was when the trial was opened: what a look asks is fixed with the challenger.
        carried_out: Whether its end was entered: a look that ends it says what to do, this that it is done.
    """

    entry: int
    trial: Trial
    bundle: Mapping[str, Any] = field(repr=False)
    rule: Mapping[str, Any] = field(repr=False)
    carried_out: bool = False


def trials_of(entries: Sequence[TrialEntry]) -> list[Recorded]:
    """The trials that some entries tell of, oldest first."""
    trials: dict[int, Recorded] = {}
    for one in entries:
        if one.kind is Kind.OPENED:
            trial = from_json(Trial, one.record["trial"])
            trials[one.entry] = Recorded(one.entry, trial, one.record["bundle"], one.record["rule"])
        elif one.kind in (Kind.LOOK, Kind.CLOSED):
            recorded = trials[int(one.record["trial"])]
            if one.kind is Kind.LOOK:
                trial = recorded.trial.after(from_json(Look, one.record["look"]))
                trials[recorded.entry] = replace(recorded, trial=trial)
            else:
                reason = recorded.trial.closed or one.record["because"]
                trials[recorded.entry] = replace(recorded, trial=recorded.trial.ended(reason), carried_out=True)
    return list(trials.values())


def current_trial(entries: Sequence[TrialEntry]) -> Recorded | None:
    """The trial that runs, or whose end is yet to be carried out."""
    return next((one for one in reversed(trials_of(entries)) if not one.carried_out), None)


def refreshes_of(entries: Sequence[TrialEntry]) -> list[Refresh]:
    """The attempts at a refresh, oldest first."""
    return [from_json(Refresh, one.record["refresh"]) for one in entries if one.kind is Kind.REFRESH]


class TrialsOfRun:
    """The trial log as one run of a partition reads it and carries it on.

    Attributes:
        entries: All that the log has, with what this run has added.
    """

    def __init__(self, log: TrialLog, partition: date) -> None:
        self.log, self.partition = log, partition
        self.entries = log.entries()

    @property
    def current(self) -> Recorded | None:
        return current_trial(self.entries)

    @property
    def own(self) -> list[TrialEntry]:
        """What runs of this partition have written, this one included."""
        return [one for one in self.entries if one.partition == self.partition]

    @property
    def later(self) -> date | None:
        """A later partition that has carried the log on."""
        days = [one.partition for one in self.entries if one.partition > self.partition]
        return max(days, default=None)

    def open(self, trial: Trial, bundle: Mapping[str, Any], rule: Mapping[str, Any], because: str) -> None:
        """Enrol a challenger.

        Args:
            because: Why this one, in words.

        Raises:
            TrialConflict: As of all that add: another run has written meanwhile.
        """
        self._add(Kind.OPENED, {"trial": to_json(trial), "bundle": bundle, "rule": rule, "because": because})

    def look(self, recorded: Recorded, look: Look) -> None:
        """Record a look."""
        self._add(Kind.LOOK, {"trial": recorded.entry, "look": to_json(look)})

    def close(self, recorded: Recorded, because: str, person: bool = False) -> None:
        """Record that a trial is over, and that what its last look asks for is done.

        Args:
            person: Whether somebody wants it, with who and why in `because`.
        """
        self._add(Kind.CLOSED, {"trial": recorded.entry, "because": because, "person": person})

    def refresh(self, attempt: Refresh, bundle: Mapping[str, Any]) -> None:
        """Record an attempt at a refresh: its days are not judged a second time."""
        self._add(Kind.REFRESH, {"refresh": to_json(attempt), "bundle": bundle})

    def _add(self, kind: Kind, record: Mapping[str, Any]) -> None:
        after = self.entries[-1].entry if self.entries else 0
        self.entries.append(self.log.add(kind, self.partition, record, after))
