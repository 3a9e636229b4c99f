"""Numbers used twice: a duplicate by its number that brings what its series have not seen.

A message that comes again brings old readings. One with new readings under an old number is of a device that
does not count, or counts back after a restart under the same boot id: all it sends is lost as duplicate, and
somebody should know. What is certain is counted, and no more: live readings newer than all of their series.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scenewatch.model.flags import Place

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scenewatch.model.batch import Batch


def reused(duplicates: Batch, newest_ms: NDArray[np.int64], checked: Batch) -> set[int]:
    """Messages of the record that use a number again.

    `duplicates` are the readings left out, `newest_ms` what each one's series had before the record, and
    `checked` the readings of the record that were not left out.
    """
    t_ms = duplicates.t_ms
    # A time ahead of the receive time may have been mended the first time, and proves nothing.
    candidates = duplicates.live & (t_ms > newest_ms) & (t_ms <= duplicates.received_ms)
    found: set[int] = set()
    for i in np.flatnonzero(candidates).tolist():
        message = int(duplicates.message[i])
        if message not in found and not _came_before(checked, int(duplicates.series[i]), int(t_ms[i]), message):
            found.add(message)
    return found


def _came_before(checked: Batch, series: int, t_ms: int, message: int) -> bool:
    """Whether the record itself brought something as new before: most often the first copy."""
    end = int(np.searchsorted(checked.message, message))
    before = slice(0, end)
    seen = (
        (checked.series[before] == series) & (checked.place[before] == Place.NEW) & (checked.t_ms[before] >= t_ms)
    )
    return bool(seen.any())
