"""The columns of message identity: the boot heard of latest from each device, and its next number."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scenewatch.model.compiled import compiled
from scenewatch.model.decoded import BOOT_BYTES, NOT_NUMBERED

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Latest(NamedTuple):
    """A row a device; the first byte of `boot` is 0 where no numbered message has come yet."""

    boot: NDArray[np.uint8]
    since: NDArray[np.int64]
    """The number the boot was met with."""
    next: NDArray[np.int64]

    @classmethod
    def of(cls, devices: int) -> Latest:
        return cls(
            np.zeros((devices, BOOT_BYTES), np.uint8), np.zeros(devices, np.int64), np.zeros(devices, np.int64)
        )

    def grown(self, devices: int) -> Latest:
        larger = Latest.of(devices)
        known = len(self.next)
        larger.boot[:known], larger.since[:known], larger.next[:known] = self
        return larger


@compiled
def next_in_line(
    device: NDArray[np.int32],
    boot: NDArray[np.uint8],
    n: NDArray[np.int64],
    latest: Latest,
    waits: NDArray[np.bool_],
    others: NDArray[np.int32],
) -> int:
    """Take every message that begins a device's first boot or is the next of its latest one.

    Fills `others` with the rest of the numbered messages, in order, and returns how many. A device that is
    among the others once stays there for the whole batch, for its order matters: `waits` tells, all False at first.
    """
    count = 0
    for i in range(len(device)):
        if n[i] == NOT_NUMBERED:
            continue
        d = device[i]
        if not waits[d]:
            if latest.boot[d, 0] == 0:
                for k in range(BOOT_BYTES):
                    latest.boot[d, k] = boot[i, k]
                latest.since[d] = n[i]
                latest.next[d] = n[i] + 1
                continue
            alike = n[i] == latest.next[d]
            k = 0
            while alike and k < BOOT_BYTES:
                alike = latest.boot[d, k] == boot[i, k]
                k += 1
            if alike:
                latest.next[d] += 1
                continue
        waits[d] = True
        others[count] = i
        count += 1
    return count
