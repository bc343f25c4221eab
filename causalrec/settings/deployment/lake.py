"""A home's settings files, and the one that the gate itself reads: `lake.yaml`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from causalrec.settings.base import Settings
from causalrec.settings.kinds import Must, left_out_as, whole

LAKE = "lake.yaml"
LEAST_MEMORY_MB = 100
"""With less, DuckDB cannot even read a row group."""


class Retention(Settings):
    """How long the lake keeps what nobody reads any more.

    Attributes:
        versions: How many versions of a table's day are kept, the current one included.
        staging_days: After how many days what a killed run left behind is removed.
        quarantine_days: After how many days refused drafts and unusable rows are removed.
    """

    versions: Annotated[int, whole(1)] = 5
    staging_days: Annotated[int, whole(1)] = 2
    quarantine_days: Annotated[int, whole(0)] = 90


class GateSettings(Settings):
    """What checking a table may use, and what it leaves for people.

    Attributes:
        memory_mb: Of memory, for the questions of one contract; what does not fit is spilled to the home's scratch.
        data_docs: Whether a page of each table and day says in words what held.
    """

    memory_mb: Annotated[int, whole(LEAST_MEMORY_MB)] = 1000
    data_docs: bool = True


class LakeSettings(Settings):
    """Where published tables are kept, how long, and what checking them may use.

    Attributes:
        root: A folder or an fsspec URL; empty: the home's `lake/`.
        storage_options: What fsspec is given beside the URL.
        single_writer: No two runs ever publish at the same time.
        retention: How long what nobody reads is kept.
        gate: What checking a table may use.
    """

    FILE = LAKE

    root: Annotated[
        str,
        BeforeValidator(left_out_as("")),
        AfterValidator(str.strip),
        Must("a folder or a URL such as s3://bucket/prefix"),
    ] = ""
    storage_options: Annotated[
        dict[str, Any],
        BeforeValidator(left_out_as({})),
        Must("a mapping of names to values, e.g. endpoint_url: ...", secret=True),
    ] = Field(default_factory=dict, repr=False)
    single_writer: bool = False
    retention: Annotated[Retention, BeforeValidator(left_out_as({}))] = Retention()
    gate: Annotated[GateSettings, BeforeValidator(left_out_as({}))] = GateSettings()
