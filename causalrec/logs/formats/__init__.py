"""The published data sets that are landed by name: `make demo LOGS=name`.

One more is one file beside these and one line in `FORMATS`; or, in a package of somebody else's, an entry point of the
group `causalrec.formats` under the format's own name.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, runtime_checkable

from causalrec.home import Home
from causalrec.logs.formats.kuai import KuaiRand, KuaiRec
from causalrec.logs.formats.movielens import MovieLens
from causalrec.logs.formats.open_bandit import OpenBandit
from causalrec.plugins import plugins
from causalrec.registry import by_name

GROUP = "causalrec.formats"


@runtime_checkable
class SourceFormat(Protocol):
    """How one data set is laid out, brought, and landed.

    Attributes:
        name: What LOGS and `--logs` call it, and its home below `.home`.
        label: What a person calls it: "MovieLens".
        fetch: Brings it into a folder for downloads, once, and returns what `land` reads there. None: nobody fetches
            it, a person names a folder that holds it.
    """

    @property
    def name(self) -> str: ...

    @property
    def label(self) -> str: ...

    @property
    def fetch(self) -> Callable[[Path], Path] | None: ...

    def recognise(self, folder: Path) -> str | None:
        """What this folder is, where it is this data set: "is MovieLens (layout 1m)". Else None."""

    def overlay(self, folder: Path | None, home: Home) -> Path:
        """The folder of settings that stand in place of the template's.

        Args:
            folder: What will be landed; None where it is landed already.
        """

    def land(self, folder: Path, home: Home) -> list[str]:
        """Fill `home.landing`.

        Args:
            folder: The one that a person named, or what `fetch` returned.

        Returns:
            What a person has to be told about it, a line each.

        Raises:
            InputError: The folder does not hold this data set, or a value is not what it has there.
        """


FORMATS: dict[str, SourceFormat] = by_name(OpenBandit(), MovieLens(), KuaiRand(), KuaiRec())


def source_formats() -> dict[str, SourceFormat]:
    """`FORMATS`, and those that installed packages bring.

    Raises:
        InputError: A package's cannot be loaded.
    """
    return FORMATS | plugins(GROUP, SourceFormat, FORMATS)  # type: ignore[type-abstract]
