"""The one loop over readings that numpy has no word for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenewatch.model.compiled import allocating

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@allocating
def raise_marks(
    series: NDArray[np.int32], t_ms: NDArray[np.int64], marks: NDArray[np.int64], fresh: NDArray[np.bool_]
) -> int:
    """Move each series' mark to its newest time; `fresh` are the readings that moved it. Returns how many."""
    count = 0
    for i in range(len(series)):
        moved = t_ms[i] > marks[series[i]]
        fresh[i] = moved
        if moved:
            marks[series[i]] = t_ms[i]
            count += 1
    return count
