"""What to build next, from what is in the landing zone and in the lake and from nothing else.

Late data, a removed file and a first load are one case, and a plan is the same after a restart. Assets that only read
landed files may be built side by side. `history` carries its state from day to day: only the first day that is not
settled is asked for, and when its state comes out as it was, nothing after it is stale and the chain ends.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from causalrec.hashing import canonical, sha256
from causalrec.home import Home
from causalrec.logs.landing.zone import LandingZone
from causalrec.logs.units.day_counts import days_read
from causalrec.logs.units.history import states_read
from causalrec.settings.file import read_setting
from causalrec.settings.learning import parse_learning
from causalrec_assets.lake.currentness import Resolver, stale_because
from causalrec_assets.lake.releases import ReleaseLog
from causalrec_assets.lake.snapshot import Snapshot
from causalrec_assets.lake.trials import TrialLog
from causalrec_assets.lake.windows import LearningWindow, days_hash, learning_window
from causalrec_assets.operate.asked_days import clock_is_early
from causalrec_assets.serving.trials import current_trial

LANDED = {"items": "items", "users": "users", "clean_events": "events"}
"""The assets that read landed files -> which of them."""
CARRIED = ("history", "units")
"""The assets that build on earlier days, and on `LANDED` of their own day."""
DATA = frozenset({"landing", "table", "newest", "champion", "trials", "serves", "before", "days"})
"""Inputs that change by themselves. Settings and code are changed by people, who say what is to be rebuilt."""


@dataclass(frozen=True)
class Request:
    """Some assets of a day, to be built in one run.

    Attributes:
        key: Names what they would be made from: an attempt is not repeated until that is other.
    """

    day: date
    assets: tuple[str, ...]
    why: str
    key: str


@dataclass(frozen=True)
class Plan:
    """What can be built now, side by side, and what has to wait, in words.

    Attributes:
        passed_over: What lies in the landing zone and is nobody's rows, in words; nothing waits for it.
    """

    requests: tuple[Request, ...] = ()
    waits: tuple[str, ...] = ()
    passed_over: tuple[str, ...] = ()


@dataclass(frozen=True)
class Planner:
    """Plans for one home, as the landing zone and the lake are at one moment.

    Attributes:
        others: How to look up inputs that the lake does not know: `code`, `encoder`, `compute`.
        only: Prefixes of the inputs whose change counts; None counts all, settings and code too.
        tried: Keys of the attempts that have been made.
    """

    home: Home
    zone: LandingZone
    lake: Snapshot
    others: Mapping[str, Resolver]
    only: Container[str] | None = DATA
    tried: Container[str] = frozenset()

    def stale(self, asset: str, day: date) -> str | None:
        """Why a partition would be rebuilt; None when it is current."""
        look: dict[str, Resolver] = {
            "landing": self.zone.fingerprint,
            "newest": lambda _, d: str(d == self.zone.newest_day),
            "serves": lambda _, d: self._serves(d),
            "before": lambda _, d: str(self.day_before(d)),
            "days": lambda _, d: days_hash(self._window(d).days),
            **self.others,
        }
        return stale_because(self.home, self.lake, asset, day, look, self.only)

    def day_before(self, day: date) -> date | None:
        """The day whose state a day carries on; see `LandingZone.day_before`."""
        return self.zone.day_before(day, self.lake.days("clean_events"))

    def _serves(self, day: date) -> str:
        champion = ReleaseLog(self.lake.store).champion_as_of(day)
        return champion.bundle_hash if champion else "none"

    @property
    def span(self) -> list[date]:
        """The days of the landing zone, on to those that were published and for which nothing is landed any more: they
        stay as they are, and it is said."""
        landed, published = self.zone.span, [d for d in self.lake.days("clean_events") if self.zone.source.covers(d)]
        if self.zone.source.sparse:
            return sorted({*landed, *published})
        days = [*landed[:1], *landed[-1:], *published[:1], *published[-1:]]
        return [min(days) + timedelta(days=k) for k in range((max(days) - min(days)).days + 1)] if days else []

    # -- logs ------------------------------------------------------------------------------------------------------

    def logs(self, days: Sequence[date], arriving: Collection[date | None] = ()) -> Plan:
        """The log partitions of some days that can be built now.

        Args:
            days: Ascending, without a hole; of a sparse source, those for which nothing was landed are passed over.
            arriving: Days of files that may not be whole yet; None for a file whose days cannot be told.
        """
        published = self.lake.days("clean_events")
        days = [day for day in days if self.zone.needs_partition(day, published)]
        touched = {near for day in arriving for near in ([None] if day is None else self.zone.touched(day))}
        landed, waits = self._from_landed_files(days, touched)
        carried, chain_waits = self._carried_on(days, landed)
        requests = {request.day: request for request in landed}
        for request in carried:
            own = requests.get(request.day)
            requests[request.day] = replace(own, assets=(*own.assets, *request.assets)) if own else request
        in_order = tuple(requests[day] for day in sorted(requests))
        return Plan(in_order, tuple(waits + chain_waits), tuple(self.zone.passed_over))

    def _from_landed_files(
        self, days: Sequence[date], arriving: Collection[date | None]
    ) -> tuple[list[Request], list[str]]:
        events, waits = self.zone.events, list[str]()
        if sentence := clock_is_early(self.zone.source.first_day, datetime.now(UTC).date()):
            return [], [sentence]
        if None in arriving:
            return [], ["files are still arriving whose days cannot be told yet"]
        if everywhere := self.zone.everywhere:
            # Such a file may hold rows of any day. One run says so; hundreds would say no more.
            waits.append(f"no day can be cleaned before this is put right: {' '.join(everywhere)}")
            days = days[-1:]
        elif not events.days and not events.problems and self.lake.days("clean_events"):
            waits.append(f"nothing is landed any more in {events.root}; what was published stays")
            days = days[-1:]
        held = self._held_snapshots(waits)
        requests: list[Request] = []
        for day in days:
            if day in arriving:
                waits.append(f"{day}: files are still arriving")
                continue
            assets = [asset for asset in LANDED if asset not in held or day == days[-1]]
            reasons = {asset: why for asset in assets if (why := self.stale(asset, day)) is not None}
            nothing = day not in events.by_day and day not in events.empty_days and not events.problems_of(day)
            if nothing and self.lake.pointer("clean_events", day) is None and "clean_events" in reasons:
                waits.append(f"{day}: nothing was landed; land its events, or declare the day empty")
                del reasons["clean_events"]
            if reasons:
                fingerprints = [self.zone.fingerprint(LANDED[asset], day) for asset in reasons]
                self._ask(day, reasons, fingerprints, requests, waits)
        return requests, waits

    def _held_snapshots(self, waits: list[str]) -> set[str]:
        """The snapshots that are not known on any day: again one run says so."""
        held = {}
        for asset, files in (("items", self.zone.items), ("users", self.zone.users)):
            if files is not None and (problems := files.everywhere):
                held[asset] = problems
                waits.append(f"`{asset}` cannot be built before this is put right: {' '.join(problems)}")
        return set(held)

    def _carried_on(self, days: Sequence[date], landed: Sequence[Request]) -> tuple[list[Request], list[str]]:
        requests: list[Request] = []
        waits: list[str] = []
        to_come = {request.day: set(request.assets) for request in landed}
        in_order = self.zone.source.has("user_id")
        for day in days:
            before = self.day_before(day)
            if in_order and before is not None and self.lake.pointer("history", before) is None:
                waits.append(f"{day}: `history` of {before} must be published before it can go on{self._every_day}")
                break
            asked_for = to_come.get(day, set())
            reads = [name for name in LANDED if name not in asked_for]
            if missing := [name for name in reads if self.lake.pointer(name, day) is None]:
                waits.append(f"{day}: `{'`, `'.join(missing)}` must be published before the days after it can go on")
                if in_order:
                    break
                continue
            if {"clean_events", "items"} & asked_for:
                # The first unsettled day is built whole, in one run; what it changes shows in the next plan.
                if not requests or not in_order:
                    requests.append(Request(day, CARRIED, "its events are new", ""))
                if in_order:
                    break
                continue
            reasons = {asset: why for asset in CARRIED if (why := self.stale(asset, day)) is not None}
            if not reasons:
                continue
            made_from = [*((name, day) for name in LANDED), *self._carried_from(day)]
            requested = self._ask(day, reasons, [self._hash(*read) for read in made_from], requests, waits)
            if in_order and "history" in reasons and (requested or self.lake.pointer("history", day) is None):
                break
        return requests, waits

    def _carried_from(self, day: date) -> list[tuple[str, date]]:
        """What `history` of a day reads of earlier days."""
        source, published = self.zone.source, self.lake.days("clean_events")

        def has(day: date) -> bool:
            return self.zone.needs_partition(day, published)

        events = [d for d in days_read(source, day, has) if d < day]
        return [*(("history", d) for d in states_read(source, day, has)), *(("clean_events", d) for d in events)]

    @property
    def _every_day(self) -> str:
        source = self.zone.source
        if source.sparse:
            return ""
        return f"; the source begins on {source.first_day}, and each day from then on is landed or declared empty"

    # -- learning --------------------------------------------------------------------------------------------------

    def learning(self, day: date, parents: Mapping[str, Sequence[str]]) -> Plan:
        """The learning assets of a day that are not current, and those that follow them.

        Args:
            parents: Each learning asset -> the assets of the same day that it reads, in an order in which an asset
                comes after its parents.
        """
        window = self._window(day).days
        reads = [*(("units", d) for d in window), *((name, day) for name in ("items", "users", "history"))]
        missing = [f"`{name}` of {d}" for name, d in reads if self.lake.pointer(name, d) is None]
        missing += [f"`{name}` of {d} ({lost})" for name, d in reads if (lost := self.lake.lost(name, d)) is not None]
        if missing:
            more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
            return Plan(waits=(f"learning of {day} needs {', '.join(missing[:3])}{more}",))
        reasons: dict[str, str] = {}
        for asset, read in parents.items():
            behind = next((name for name in read if name in reasons), None)
            why = f"`{behind}` is built again" if behind else self.stale(asset, day)
            if why is not None:
                reasons[asset] = why
        requests: list[Request] = []
        waits: list[str] = []
        if reasons:
            made_from = [*reads, *(("units", d) for d in self._trial_days(day))]
            self._ask(day, reasons, [self._hash(*read) for read in made_from], requests, waits)
        return Plan(tuple(requests), tuple(waits))

    def _trial_days(self, day: date) -> Sequence[date]:
        """The days of the running trial that the learning of a day reads beside its window; none has to be there."""
        running = current_trial(TrialLog(self.lake.store).before(day))
        return [d for d in running.trial.days_of(running.trial.weeks) if d <= day] if running else ()

    # ----------------------------------------------------------------------------------------------------------------

    def _window(self, day: date) -> LearningWindow:
        """The days that the learning of a day reads; of a sparse source, those that have units or will have."""
        settings = parse_learning(read_setting(self.home, "learning.yaml"), read_setting(self.home, "sources.yaml"))
        return learning_window(day, settings, {*self.zone.span, *self.lake.days("units")})

    def _hash(self, table: str, day: date) -> str:
        pointer = self.lake.pointer(table, day)
        return pointer.hash if pointer else "none"

    def _ask(
        self,
        day: date,
        reasons: Mapping[str, str],
        made_from: Sequence[str],
        requests: list[Request],
        waits: list[str],
    ) -> bool:
        """Request the assets, unless that was tried; whether it was requested."""
        versions = [self.lake.number(asset, day) for asset in reasons]
        key = sha256(canonical([day, list(reasons), list(made_from), versions]))[:24]
        why = "; ".join(sorted({f"{asset}: {reason}" for asset, reason in reasons.items()}))
        if key in self.tried:
            waits.append(f"{day}: `{'`, `'.join(reasons)}` failed with what is there now; see the failed run ({why})")
            return False
        requests.append(Request(day, tuple(reasons), why, key))
        return True
