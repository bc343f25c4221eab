"""Making the next piece while the last one is used: two things at a time, and no more pieces in memory than three."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import TypeVar

Piece = TypeVar("Piece")
_END = object()


def ahead(pieces: Iterator[Piece], held: int = 1) -> Iterator[Piece]:
    """The same pieces, made in a thread of their own as far as `held` before they are asked for.

    Raises:
        Exception: Whatever `pieces` raises, where it would have raised it. When the reader stops early, so does it.
    """
    ready: queue.Queue[object] = queue.Queue(maxsize=held)
    stopped = threading.Event()

    def put(piece: object) -> bool:
        while not stopped.is_set():
            try:
                ready.put(piece, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def make() -> None:
        try:
            for piece in pieces:
                if not put(piece):
                    return
            put(_END)
        except BaseException as error:
            put(_Raised(error))

    maker = threading.Thread(target=make, daemon=True)
    maker.start()
    try:
        while (piece := ready.get()) is not _END:
            if isinstance(piece, _Raised):
                raise piece.error
            yield piece  # type: ignore[misc]
    finally:
        stopped.set()
        maker.join()


class _Raised:
    def __init__(self, error: BaseException) -> None:
        self.error = error
