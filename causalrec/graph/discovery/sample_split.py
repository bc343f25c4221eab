"""Two halves of the units: one that the graph is found on, one that effects are estimated on.

A graph chosen on the same units as the effect makes the effect's interval a little too sure: among sets that look alike
in the sample, the choice leans to what the sample's noise favours. With `split: true` in `data/discovery.yaml` neither
half knows the other; both are smaller.

Source: Fithian, Sun and Taylor (2014), arXiv:1410.2597, "Optimal inference after model selection", on data splitting.
"""

from __future__ import annotations

import zlib

import polars as pl

from causalrec.logs.clusters import cluster_names


def is_discovery_half(units: pl.DataFrame, cluster: str) -> pl.Series:
    """Which units the graph is found on: all of a cluster's or none, whatever other rows there are.

    Args:
        units: With `time`, the cluster's column, and `unit_id` where some units name no cluster.
        cluster: `user_id`, `request_id` or `hour`; as in `cluster_codes`.
    """
    text = cluster_names(units, cluster)
    known = text.unique()
    chosen = pl.DataFrame({"key": known, "half": [_is_even(value) for value in known]})
    return text.to_frame().join(chosen, on="key", how="left", maintain_order="left")["half"]


def _is_even(value: str) -> bool:
    # The low bits of a CRC repeat themselves in ids that count up; those of its middle do not.
    return not (zlib.crc32(value.encode()) >> 13) & 1
