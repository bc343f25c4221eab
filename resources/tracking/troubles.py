"""Failures of something that must not end the work it watches: told at once, remembered, never silent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any


class Troubles:
    """What went wrong with tracking.

    Args:
        log: Of the step; each failure is a warning there.
        hide: Text that may hold a password -> what is shown in its place.
    """

    def __init__(self, log: Any, hide: Mapping[str, str]) -> None:
        self.log, self.hide, self.told = log, dict(hide), list[str]()

    def tell(self, what: str, error: Exception | str) -> None:
        """Warn in the step's log, and keep it for the metadata."""
        words = f"{what}: {error}" if isinstance(error, str) else f"{what}: {type(error).__name__}: {error}"
        for secret, shown in self.hide.items():
            words = words.replace(secret, shown)
        # An unreachable server's message is long and says the same thing three times.
        words = words if len(words) <= 600 else f"{words[:600]}..."
        self.told.append(words)
        self.log.warning(words)

    @contextmanager
    def survived(self, what: str) -> Iterator[None]:
        """Run the body; an exception is told, and the work goes on."""
        try:
            yield
        except Exception as error:
            self.tell(what, error)

    @property
    def metadata(self) -> dict[str, Any]:
        """`tracking`: what is missing from it; nothing when it is complete."""
        return {"tracking": "incomplete: " + "; ".join(self.told)} if self.told else {}
