"""The Dagster UI as a person sees it: pages, switches, dialogs, and pictures of them."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import FloatRect, Locator, Page, TimeoutError, ViewportSize, expect, sync_playwright

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SIZE: ViewportSize = {"width": 1400, "height": 900}
LARGE: ViewportSize = {"width": 1600, "height": 1300}
LARGEST = 250_000
"""Bytes of a picture; one that is larger is kept in fewer colours."""
STAGES = ("landing", "logs", "graph", "embeddings", "model", "policy", "evaluation", "serving")


def browser_path() -> str | None:
    """The browser that `CHROMIUM` names, or the first that is on the PATH."""
    named = os.environ.get("CHROMIUM")
    return named or next((path for name in BROWSERS if (path := shutil.which(name))), None)


@dataclass(frozen=True)
class UI:
    """A browser on one deployment's UI.

    Attributes:
        pictures: Where pictures are kept; None takes none.
    """

    page: Page
    address: str
    pictures: Path | None

    def open(self, path: str) -> None:
        """Open a page by its address."""
        self.page.goto(f"{self.address}{path}")

    def go(self, path: str) -> None:
        """Go to one of the pages of the navigation, by a click."""
        self.page.locator(f"a[href='{path}']").first.click()

    def link(self, text: str) -> None:
        self.page.locator("a").filter(has_text=text).first.click()

    def tab(self, name: str) -> None:
        self.page.get_by_role("tab", name=name).last.click()

    def sees(self, text: str | re.Pattern[str], seconds: float = 30) -> Locator:
        """Some text must be there to see."""
        found = self.page.get_by_text(text).first
        expect(found).to_be_visible(timeout=seconds * 1000)
        return found

    def partition(self, asset: str, day: str) -> None:
        """Open an asset's page on one day."""
        self.open(f"/assets/{asset}?view=partitions&partition={day}")
        self.sees("Latest materialization")

    def check(self, asset: str, check: str) -> None:
        """Open an asset's page on one of its checks."""
        self.open(f"/assets/{asset}?view=checks&checkDetail={check}")
        self.sees("Latest execution")

    def show_markdown(self, key: str) -> None:
        """Open the longer text or the plot that metadata hold under a key."""
        row = f"//*[normalize-space(text())='{key}']/ancestor::tr[1]"
        self.page.locator(f"xpath={row}").get_by_text("[Show Markdown]").first.click()
        self.page.get_by_role("dialog").wait_for()

    def close(self) -> None:
        """Close the dialog that is open."""
        self.page.get_by_role("dialog").get_by_role("button", name="Close").click()
        expect(self.page.get_by_role("dialog")).to_have_count(0)

    def row_with(self, text: str) -> str:
        """The first row of a table that holds some text, as one line."""
        row = self.page.get_by_role("row").filter(has_text=text).first
        row.wait_for()
        return " ".join(row.inner_text().split())

    def bring_to_view(self, text: str) -> None:
        self.page.get_by_text(text).first.evaluate("element => element.scrollIntoView({block: 'start'})")

    def in_graph_settings(self, choice: str) -> None:
        """Choose something in the settings of the graph; a greeting that comes meanwhile closes them."""
        for last in (False, False, True):
            self.page.locator("button:has([aria-label=settings])").last.click()
            try:
                self.page.get_by_text(choice).click(timeout=10_000)
                return
            except TimeoutError:
                if last:
                    raise

    @contextmanager
    def whole_graph(self) -> Iterator[None]:
        """All groups of the asset graph, expanded and in view: in a larger window, without the list of assets."""
        self.page.set_viewport_size(LARGE)
        self.open("/asset-groups?expanded=" + ",".join(f"global@global:{stage}" for stage in STAGES))
        self.page.locator("button:has([aria-label=panel_show_right])").click()
        self.page.wait_for_timeout(2000)
        self.page.locator("button:has([aria-label=zoom_out])").click()
        self.page.wait_for_timeout(2000)
        mouse = self.page.mouse
        mouse.move(300, 200)
        mouse.down()
        mouse.move(400, 260, steps=4)
        mouse.up()
        yield
        self.page.set_viewport_size(SIZE)

    def switch(self, automation: str) -> Locator:
        """The switch of a sensor or schedule on the Automation page."""
        row = f"//*[normalize-space(text())='{automation}']/ancestor::*[.//label[contains(@class,'formatSwitch')]][1]"
        return self.page.locator(f"xpath={row}").locator("label[class*=formatSwitch]").first

    def turn_on(self, automation: str) -> None:
        """Turn a sensor or schedule on by its switch."""
        # The rows come one after the other and push each other down: a click at once would meet another's switch.
        self.switch(automation).wait_for()
        self.page.wait_for_timeout(4000)
        self.switch(automation).click()
        expect(self.switch(automation).locator("input")).to_be_checked(timeout=20_000)

    def choose_days(self, job: str, days: str) -> None:
        """Open a job, press "Materialize all" and choose its days in the dialog."""
        self.open("/jobs")
        self.link(job)
        self.page.get_by_role("button", name="Materialize all").click()
        box = self.page.get_by_placeholder("ex: ")
        box.fill(days)
        box.press("Enter")

    def launch(self) -> None:
        """Press the dialog's launch button."""
        self.page.get_by_role("dialog").get_by_role("button", name=re.compile("^Launch")).click()
        self.sees(re.compile("Launched run|Created backfill|backfill", re.IGNORECASE))

    def picture(self, name: str, settle: float = 1.5, above: str | None = None) -> None:
        """Keep a picture of what is to be seen now, small enough for a repository.

        Args:
            settle: Seconds for the page to come to rest.
            above: Where the picture ends, if this text is to be seen: what follows is of no interest.
        """
        if self.pictures is None:
            return
        # Away from whatever says more under the pointer.
        self.page.mouse.move(700, 2, steps=5)
        self.page.wait_for_timeout(settle * 1000)
        assert self.page.get_by_text(re.compile("unexpected error|PythonError|GraphQL error", re.I)).count() == 0
        self.pictures.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            raw = Path(folder) / "raw.png"
            self.page.screenshot(path=raw, clip=self._part(above))
            kept = self.pictures / f"{name}.png"
            Image.open(raw).convert("RGB").save(kept, optimize=True)
            if kept.stat().st_size > LARGEST:
                Image.open(raw).convert("RGB").quantize(256).save(kept, optimize=True)

    def _part(self, above: str | None) -> FloatRect:
        size = self.page.viewport_size
        assert size is not None
        box = self.page.get_by_text(above).first.bounding_box() if above else None
        height = min(box["y"], size["height"]) if box else size["height"]
        return {"x": 0, "y": 0, "width": size["width"], "height": height}


@contextmanager
def browsing(address: str, pictures: Path | None, executable: str) -> Iterator[UI]:
    """A browser with one page, on the UI."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        try:
            page = browser.new_page(viewport=SIZE)
            page.set_default_timeout(30_000)
            # The greeting of a first visit comes when it likes, over whatever is being done.
            page.add_locator_handler(page.get_by_role("button", name="Skip"), lambda skip: skip.click())
            page.goto(address)
            yield UI(page, address, pictures)
        finally:
            browser.close()
