"""Puts the samples that a device kept and sent in one message into the order in which they were taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scenewatch.model.batch import Columns
from scenewatch.model.compiled import compiled

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from scenewatch.model.batch import Batch


def in_time_order(batch: Batch, series_device: NDArray[np.int32]) -> Columns:
    """The batch's columns: as they are, or with the rows of each message in the order of their times.

    Buffered samples lie channel by channel. The order of each series does not change by it, as only a reading
    that is newer than all before it moves anything.
    """
    columns = batch.columns
    if not _descends(batch.message, columns.t_ms):
        return columns
    piece = np.zeros(len(batch), np.int32)
    _mark(batch.message, columns.series, columns.t_ms, series_device, piece)
    rows = np.flatnonzero(piece)
    ordered = rows[np.lexsort((columns.t_ms[rows], piece[rows]))]
    return Columns._make(_moved(column, rows, ordered) for column in columns)


def _moved(column: NDArray[Any], to: NDArray[np.intp], of: NDArray[np.intp]) -> NDArray[Any]:
    moved = column.copy()
    moved[to] = column[of]
    return moved


@compiled
def _descends(message: NDArray[np.int32], t_ms: NDArray[np.int64]) -> bool:
    """Whether anywhere within a message a row is older than the one before."""
    found = 0
    for i in range(1, len(message)):
        found |= (message[i] == message[i - 1]) & (t_ms[i] < t_ms[i - 1])
    return found != 0


@compiled
def _mark(
    message: NDArray[np.int32],
    series: NDArray[np.int32],
    t_ms: NDArray[np.int64],
    series_device: NDArray[np.int32],
    piece: NDArray[np.int32],
) -> None:
    """Number from 1 on the pieces, each one device's rows of one message, that are out of order: few ever are."""
    begin, number, before, mixed = 0, 0, -1, False
    for i in range(len(message) + 1):
        device = -1
        if i < len(message) and 0 <= series[i] < len(series_device):
            device = series_device[series[i]]
        if i == len(message) or i == 0 or message[i] != message[i - 1] or device != before:
            if mixed:
                number += 1
                piece[begin:i] = number
            begin, mixed = i, False
        elif t_ms[i] < t_ms[i - 1]:
            mixed = True
        before = device
