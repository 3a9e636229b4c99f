"""Small parts that all kinds of equipment are put together with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from scenewatch.scenes.kitchen.surroundings import Placed


def table(rows: Sequence[Mapping[str, float]]) -> NDArray[np.void]:
    """A structured array of numbers, a row a device; all rows have the same names."""
    made = np.zeros(len(rows), np.dtype([(name, np.float64) for name in rows[0]]))
    for name in rows[0]:
        made[name] = [row[name] for row in rows]
    return made


def noise_keys(placed: Placed) -> NDArray[np.uint64]:
    return np.array([first for first, _ in placed.keys("noise")], np.uint64)
