"""A process that materialises assets of a day, and dies or waits at a named point.

    python -m tests.faults.child HOME DAY POINT TABLE [TABLE ...]

Its last line says what became of the run, as JSON. POINT is one of `POINTS`, or `none`. With `-` for TABLE
the release log alone is moved.
"""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

from causalrec.home import CHECKOUT, Home

WAITS = 120.0


def die(*_: object, **__: object) -> None:
    """As the kernel kills: nothing of this process runs any more."""
    os.kill(os.getpid(), signal.SIGKILL)


def before_the_content(table: str) -> None:
    from causalrec_assets.lake.storage.objects import Folder

    upload = Folder.upload

    def fatal(folder: Folder, source: Path, name: str) -> None:
        if name.startswith(f"{table}/"):
            die()
        upload(folder, source, name)

    Folder.upload = fatal


def between_content_and_pointer(table: str) -> None:
    at_the_pointer(table, lambda link: die())


def after_the_pointer(table: str) -> None:
    at_the_pointer(table, lambda link: (link(), die()))


def wait_at_the_pointer(table: str) -> None:
    """Two processes both stand before the same name before either may take it."""
    at_the_pointer(table, lambda link: (meet(), link()))


def at_the_pointer(table: str, instead) -> None:
    at_a_name(f"/{table}/", "/pointers/", instead)


def at_a_name(folder: str, part: str, instead) -> None:
    link = os.link

    def caught(source, target, **options) -> None:
        if folder in str(target) and part in str(target):
            instead(lambda: link(source, target, **options))
        else:
            link(source, target, **options)

    os.link = caught


def in_epoch_2(_: str) -> None:
    from causalrec.model.outcome.lightning import OutcomeTraining

    step = OutcomeTraining.training_step

    def fatal(module, batch, index):
        if module.current_epoch == 1:
            die()
        return step(module, batch, index)

    OutcomeTraining.training_step = fatal


def before_the_entry(_: str) -> None:
    at_a_name("/release_log/", "", lambda link: die())


def after_the_entry(_: str) -> None:
    at_a_name("/release_log/", "", lambda link: (link(), die()))


def wait_at_the_entry(_: str) -> None:
    at_a_name("/release_log/", "", lambda link: (meet(), link()))


POINTS = {
    point.__name__: point
    for point in (
        before_the_content,
        between_content_and_pointer,
        after_the_pointer,
        wait_at_the_pointer,
        in_epoch_2,
        before_the_entry,
        after_the_entry,
        wait_at_the_entry,
    )
}


def meet() -> None:
    """Wait until two processes are here."""
    folder = Home.current().root / "meeting"
    folder.mkdir(exist_ok=True)
    (folder / str(os.getpid())).touch()
    end = time.monotonic() + WAITS
    while len(list(folder.iterdir())) < 2:
        if time.monotonic() > end:
            raise TimeoutError("the other process did not come")
        time.sleep(0.01)


def start(home: Home, day: date, point: str, *tables: str) -> subprocess.Popen[str]:
    """Start such a process."""
    environment = {
        **os.environ,
        "CAUSALREC_HOME": str(home.root),
        "PYTHONPATH": str(CHECKOUT),
        "PYTHONWARNINGS": "ignore",
        "GX_ANALYTICS_ENABLED": "false",
    }
    command = [sys.executable, "-m", "tests.faults.child", str(home.root), day.isoformat(), point, *tables]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment, cwd=home.root, text=True, stdout=pipe, stderr=pipe)


def end_of(child: subprocess.Popen[str]) -> dict[str, object]:
    """What a process that was not killed says of its run."""
    said, errors = child.communicate(timeout=200)
    assert child.returncode == 0, said[-2000:] + errors[-4000:]
    found: dict[str, object] = json.loads(said.strip().splitlines()[-1])
    return found


def killed(child: subprocess.Popen[str]) -> None:
    """Waits for a process that has to die of its own SIGKILL."""
    said, errors = child.communicate(timeout=200)
    assert child.returncode == -signal.SIGKILL, f"ended with {child.returncode}: {said[-2000:]}{errors[-4000:]}"


def move(day: date) -> None:
    """A bundle of this day becomes the champion in place of the logging policy, without any asset."""
    from causalrec_assets.lake.releases import ChampionConflict, ReleaseLog
    from causalrec_assets.lake.store import open_store

    try:
        ReleaseLog(open_store(Home.current())).move(day, {"of": day.isoformat()}, None)
    except ChampionConflict as error:
        print(json.dumps({"success": False, "said": str(error)}))
    else:
        print(json.dumps({"success": True, "said": ""}))


def main(root: str, day: str, point: str, *tables: str) -> None:
    if point != "none":
        POINTS[point](tables[0])
    if tables[0] == "-":
        move(date.fromisoformat(day))
        return
    from tests.worlds import materialise, words

    result = materialise(Home(Path(root)), date.fromisoformat(day), tables)
    print(json.dumps({"success": result.success, "said": words(result)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
