"""A shop that operates itself for thirty days: files land day by day, the planner says what to build, and things break.

Assets are called with the least Dagster: their own functions, with what they ask of a context. That this publishes and
refuses what Dagster does is a test of its own.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import dagster as dg
import pytest

from causalrec.hashing import canonical, sha256, sha256_of_file
from causalrec.home import Home
from causalrec.logs.landing.zone import LandingZone
from causalrec_assets.gate import publishing
from causalrec_assets.lake.snapshot import Snapshot
from causalrec_assets.lake.storage.pointer import Pointer
from causalrec_assets.lake.store import Store, Version, open_store
from causalrec_assets.operate.assets import ASSETS
from causalrec_assets.operate.planning import DATA, Plan, Planner, Request
from resources.lake import Lake

LOGS = ("items", "users", "clean_events", "history", "units")
READS = {"history": ("clean_events", "items"), "units": ("clean_events", "items")}
KILLS = ("before the content", "between content and pointer", "after the pointer")
RETRIES = 2
"""As in dagster.yaml: a run that died is tried again; one in which a step failed is not."""

_run_ids = itertools.count()
_definitions = {asset.key.path[-1]: asset for asset in ASSETS if isinstance(asset, dg.AssetsDefinition)}
_steps = {name: asset.op.compute_fn.decorated_fn for name, asset in _definitions.items()}


class Killed(BaseException):
    """The process is gone; no `except Exception` may swallow it."""


@dataclass
class Shop:
    """A home and the loop that the sensor `new_data` is: plan, run, plan again.

    Attributes:
        seen: What has happened, by its effect: a refusal's reason, a kill, a race.
    """

    home: Home
    tried: set[str] = field(default_factory=set)
    seen: Counter[str] = field(default_factory=Counter)
    ran: int = 0

    def plan(self) -> Plan:
        zone = LandingZone.of(self.home)
        planner = Planner(self.home, zone, Snapshot(open_store(self.home)), {}, DATA, self.tried)
        return planner.logs(planner.span)

    def heal(self, limit: int = 300) -> Plan:
        """Run plans until one asks for nothing; that one is returned."""
        for _ in range(limit):
            plan = self.plan()
            if not plan.requests:
                return plan
            for request in plan.requests:
                self.tried.add(request.key)
                self._launch(request)
        raise AssertionError("the plans do not end")

    def _launch(self, request: Request) -> None:
        for _ in range(1 + RETRIES):
            try:
                self.run(request.day, request.assets)
                return
            except Killed:
                self.check()
        raise AssertionError(f"the run of {request.day} was killed in each of its attempts")

    def run(self, day: date, assets: Iterable[str]) -> dict[str, str]:
        """One run; which assets failed, and what they said. What reads a failed asset is not built."""
        failed: dict[str, str] = {}
        for name in (name for name in LOGS if name in set(assets)):
            if any(read in failed for read in READS.get(name, ())):
                failed[name] = "an input failed"
                continue
            try:
                self.build(name, day)
            except dg.Failure as failure:
                failed[name] = str(failure.description)
                self.seen[kind_of(failed[name])] += 1
        return failed

    def build(self, name: str, day: date) -> None:
        self.ran += 1
        context = SimpleNamespace(
            assets_def=_definitions[name],
            asset_key=dg.AssetKey(name),
            partition_key=day.isoformat(),
            run=SimpleNamespace(run_id=f"run-{next(_run_ids)}"),
        )
        results = list(_steps[name](context, lake=Lake(home=str(self.home.root))))
        assert isinstance(results[-1], dg.MaterializeResult)

    def hashes(self) -> dict[tuple[str, date], str]:
        lake = Snapshot(open_store(self.home))
        return {(name, day): lake.pointer(name, day).hash for name in LOGS for day in lake.days(name)}

    def check(self, whole: bool = False) -> None:
        """What can be read is there, and is what its pointer says (of every version if `whole`, else of the last)."""
        store = open_store(self.home)
        for name in LOGS:
            for day, number in store.current(name).items():
                for n in store.numbers(name, day) if whole else [number]:
                    pointer = store.pointer(name, day, n)
                    assert store.data_path(pointer).exists(), pointer
                    if whole:
                        assert sha256_of_file(store.data_path(pointer)) == pointer.data, pointer
        if whole:
            assert not [path for path in store.staging_folder.rglob("*") if path.is_file()], "drafts were left"


def kind_of(said: str) -> str:
    """Which fault a refusal speaks of."""
    words = {
        "nothing has been landed": "refused: nothing landed",
        "has a row. Land them whole": "refused: no rows",
        "few_rows_are_wrong": "refused: bad value",
        "cannot be read": "refused: truncated",
        "another run published": "lost a race",
    }
    return next((kind for word, kind in words.items() if word in said), f"other: {said}")


class Saboteur:
    """Breaks the next publications, as it is told: kills the process, or lets another run of the partition go first."""

    def __init__(self, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shop, self.kill, self.race, self.skip = shop, "", False, 0
        publish = Store.publish

        def sabotaged(store: Store, staged: Path, version: Version, after: int) -> Pointer:
            if not (self.kill or self.race) or self.skip:
                self.skip = max(0, self.skip - 1)
                return publish(store, staged, version, after)
            kill, self.kill, race, self.race = self.kill, "", self.race, False
            if race:
                # The whole of the other attempt happens between this one's beginning and its pointer.
                shop.build(version.table, version.day)
                return publish(store, staged, version, after)
            shop.seen[f"killed {kill}"] += 1
            if kill == KILLS[0]:
                raise Killed
            if kill == KILLS[1]:
                with monkeypatch.context() as patch:
                    patch.setattr(type(store.objects), "create", _die)
                    publish(store, staged, version, after)
            publish(store, staged, version, after)
            raise Killed

        monkeypatch.setattr(Store, "publish", sabotaged)

    def arm(self, kill: str = "", race: bool = False, skip: int = 0) -> None:
        """Break the publication after the next `skip` ones."""
        self.kill, self.race, self.skip = kill, race, skip


def _die(*_: object, **__: object) -> None:
    raise Killed


class Audits:
    """Great Expectations' findings, kept: the same contract on the same table with the same facts is audited once."""

    def __init__(self) -> None:
        self.kept: dict[str, publishing.Audit] = {}
        self._audit = publishing.audit

    def __call__(self, contract, staged: Path, params, limits) -> publishing.Audit:
        key = sha256(canonical([contract.table, sha256_of_file(staged), params]))
        if key not in self.kept:
            self.kept[key] = self._audit(contract, staged, params, limits)
        return self.kept[key]
