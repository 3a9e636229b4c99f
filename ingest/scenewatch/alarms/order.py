"""Puts the samples that a device kept and sent in one message into the order in which they were taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scenewatch.alarms.rows import Columns
from scenewatch.model.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scenewatch.model.batch import Batch


def in_time_order(batch: Batch, series_device: NDArray[np.int32]) -> Columns:
    """The batch's columns: as they are, or with the rows of each message in the order of their times.

    Buffered samples lie channel by channel. The order of each series does not change by it, as only a reading
    that is newer than all before it moves anything.
    """
    columns = Columns(
        batch.series, batch.t_ms, batch.value, batch.flag, batch.test, batch.place, batch.live, batch.received_ms
    )
    if not _descends(batch.message, columns.t_ms):
        return columns
    known = (columns.series >= 0) & (columns.series < len(series_device))
    device = np.where(known, series_device[np.where(known, columns.series, 0)], -1)
    begins = (np.diff(batch.message, prepend=-1) != 0) | (np.diff(device, prepend=-2) != 0)
    order = np.lexsort((columns.t_ms, np.cumsum(begins)))
    return Columns._make(column[order] for column in columns)


@compiled
def _descends(message: NDArray[np.int32], t_ms: NDArray[np.int64]) -> bool:
    """Whether anywhere within a message a row is older than the one before."""
    found = 0
    for i in range(1, len(message)):
        found |= (message[i] == message[i - 1]) & (t_ms[i] < t_ms[i - 1])
    return found != 0
