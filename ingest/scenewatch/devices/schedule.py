"""Hands out a fleet's samples and events when their time has come."""

from __future__ import annotations

from collections import deque
from heapq import merge
from typing import TYPE_CHECKING, NamedTuple

from scenewatch.devices.telling import Telling

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from scenewatch.devices.fleet import Block, Fleet


class Sample(NamedTuple):
    """What one device measured at one time, in the order of its channels."""

    t_ms: int
    device: int
    values: Sequence[float]
    stamped_ms: int
    """The time by the device's own clock."""


Said = Sample | Telling


class Schedule:
    """What the fleet's devices say in order of time, from the fleet's present on."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        speaking = [n for n, channels in enumerate(fleet.channels) if channels]
        self._order = sorted(speaking, key=lambda n: int(fleet.offset_ms[n]))
        self._ahead: deque[Said] = deque()

    def due(self, now_ms: int) -> Iterator[Said]:
        """Block by block, so that a caller who takes only some is not kept waiting for all."""
        while True:
            while self._ahead and self._ahead[0].t_ms <= now_ms:
                yield self._ahead.popleft()
            block = None if self._ahead else next(self._fleet.advance(now_ms), None)
            if block is None:
                return
            self._ahead.extend(merge(self._samples(block, ~block.silent), block.told, key=_time))

    def next_ms(self) -> int:
        """When to ask again: the next sample, or the next step if all of this one are out."""
        return self._ahead[0].t_ms if self._ahead else self._fleet.at_ms + self._fleet.every_ms

    def skip(self, to_ms: int) -> Iterator[Said]:
        """Live through a span that others have told of, and hand out what gateways kept back beyond it."""
        fleet = self._fleet
        told_ms = to_ms // fleet.every_ms * fleet.every_ms + int(fleet.offset_ms.max(initial=0))
        for block in fleet.advance(to_ms):
            if block.sent_ms is not block.t_ms:
                yield from self._samples(block, (block.sent_ms > told_ms) & ~block.silent)
            yield from (one for one in block.told if one.sent_ms > told_ms)

    def _samples(self, block: Block, spoken: NDArray[np.bool_]) -> Iterator[Sample]:
        """Step by step; offsets are shorter than a step, so this is the order of time."""
        first = self._fleet.first_column
        for step, row in enumerate(block.values):
            values = row.tolist()
            times = block.t_ms[step].tolist()
            stamped = times if block.stamped_ms is block.t_ms else block.stamped_ms[step].tolist()
            for n in self._order:
                if spoken[step, n]:
                    yield Sample(times[n], n, values[first[n] : first[n + 1]], stamped[n])


def _time(said: Said) -> int:
    return said.t_ms
