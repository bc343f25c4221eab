"""The same numbers on any number of threads.

A library that adds up in several threads adds up in another order for each number of them, and the last digits differ;
a bundle is named by a hash of them. So sums are made by one thread, and what is large is cut into parts that do not
depend on the cores, which are worked on side by side.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


@contextmanager
def one_thread() -> Iterator[None]:
    """BLAS, OpenMP and torch (if it is loaded) count with one thread inside, and as before afterwards."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    torch = sys.modules.get("torch")
    before = torch.get_num_threads() if torch is not None else 0
    with threadpool_limits(1):
        try:
            if torch is not None:
                torch.set_num_threads(1)
            yield
        finally:
            if torch is not None:
                torch.set_num_threads(before)


def side_by_side(work: Callable[[T], R], parts: Sequence[T]) -> list[R]:
    """`work` of each part, a core each, in the parts' order. Each part is worked on by one thread alone."""
    with one_thread():
        if len(parts) < 2:
            return [work(part) for part in parts]
        with ThreadPoolExecutor(min(len(parts), os.cpu_count() or 1)) as pool:
            return list(pool.map(work, parts))
