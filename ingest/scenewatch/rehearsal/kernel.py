"""Keeps one reading a step: of several the one that differs most from the step before, so that no peak is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scenewatch.model.compiled import allocating

if TYPE_CHECKING:
    from numpy.typing import NDArray


@allocating
def keep(  # noqa: PLR0913, PLR0917 - a kernel takes its columns one by one
    series: NDArray[np.int32],
    t_ms: NDArray[np.int64],
    value: NDArray[np.float64],
    wanted: NDArray[np.bool_],
    rows: NDArray[np.int32],
    kept: NDArray[np.float32],
    begin_ms: int,
    step_ms: int,
) -> None:
    """Put the wanted readings of one chunk's time into `kept`, a row a series. `rows` has -1 for who has none."""
    for i in range(len(series)):
        at = (t_ms[i] - begin_ms) // step_ms
        if not wanted[i] or at < 0 or at >= kept.shape[1] or series[i] >= len(rows):
            continue
        row = rows[series[i]]
        if row >= 0 and not np.isnan(value[i]):
            _put(kept, row, at, np.float32(value[i]))


@allocating
def thin(kept: NDArray[np.float32], thinned: NDArray[np.float32]) -> None:
    """The same in fewer steps."""
    ratio = kept.shape[1] // thinned.shape[1]
    for row in range(kept.shape[0]):
        for at in range(kept.shape[1]):
            if not np.isnan(kept[row, at]):
                _put(thinned, row, at // ratio, kept[row, at])


@allocating
def _put(kept: NDArray[np.float32], row: int, at: int, value: np.float32) -> None:
    has = kept[row, at]
    before = kept[row, at - 1] if at > 0 else np.float32(np.nan)
    if np.isnan(has) or abs(value - before) > abs(has - before):  # the latter is false where there is none before
        kept[row, at] = value
