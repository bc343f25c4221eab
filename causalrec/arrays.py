"""The types of arrays that the library passes around."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Matrix = npt.NDArray[np.floating]
"""Of either precision, 2-D: trees read it in double; only the order of a column's values matters to them."""
Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int64]
"""Which group each row belongs to (its cluster, its fold): equal codes are one group."""
Mask = npt.NDArray[np.bool_]
