"""A user's day in the real UI: a headless browser drives a running `dagster dev` and keeps pictures of what it sees.

    python -m tests.tour                               play the day, in about ten minutes
    python -m tests.tour --pictures docs/pictures      and take the pictures of docs/a-day.md again
    python -m tests.tour --keep DIR                    in a home that stays there for a look afterwards

The browser is what `CHROMIUM` names, else chromium, chromium-browser or google-chrome on the PATH. Ends with 0 when the
user saw what is promised, with 1 when not, and with 3 when there is no browser.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from tests.tour.deployment import running
from tests.tour.ui import browser_path, browsing
from tests.tour.users_day import UsersDay


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.tour", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--keep", type=Path, metavar="DIR", help="make the home there, and leave it")
    parser.add_argument("--pictures", type=Path, metavar="DIR", help="keep pictures there")
    given = parser.parse_args(arguments)
    browser = browser_path()
    if browser is None:
        print("The tour is skipped: there is no chromium, chromium-browser or google-chrome on the PATH.")
        return 3
    if given.keep is not None and given.keep.exists() and any(given.keep.iterdir()):
        parser.error(f"{given.keep} is not empty: name a new folder")
    with tempfile.TemporaryDirectory(prefix="shop-", ignore_cleanup_errors=True) as scratch:
        return tour(given.keep or Path(scratch) / "home", given.pictures, browser)


def tour(home: Path, pictures: Path | None, browser: str) -> int:
    """Play the day; a line a step. The page of a step that failed is kept in the home as failed.png."""
    with running(home.resolve()) as shop, browsing(shop.address, pictures, browser) as ui:
        for name, step in UsersDay(shop, ui).steps.items():
            began = time.monotonic()
            try:
                said = step()
            except Exception:
                print(f"FAILED  {name}\n{traceback.format_exc()}", flush=True)
                ui.page.screenshot(path=home / "failed.png")
                print(f"At {ui.page.url}:\n{ui.page.locator('body').inner_text()[:3000]}", flush=True)
                return 1
            print(f"{time.monotonic() - began:5.0f} s  {name:<22} {said}", flush=True)
    print("The user saw what is promised.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
