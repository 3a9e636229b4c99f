"""The native payload as a device writes it, and the bounded buffer it is written from."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenewatch.devices.telling import Telling

MOST_SAMPLES: Final = 120
"""In one message of buffered samples: an hour at 30 s, some kilobytes."""


class SampleBuffer:
    """One device's samples that no broker has taken yet. Full: the oldest goes, and is counted."""

    def __init__(self, channels: Sequence[str], *, boot: str, capacity: int) -> None:
        self.dropped = 0
        self._channels = tuple(channels)
        self._boot = boot
        self._sequence = 0
        self._samples: deque[tuple[int, int, Sequence[float]]] = deque(maxlen=capacity)
        """Each with when it was taken, and when that was by the device's clock."""

    def __len__(self) -> int:
        return len(self._samples)

    @property
    def oldest_ms(self) -> int:
        """Of the samples that wait; only when there are any."""
        return self._samples[0][0]

    def add(self, t_ms: int, stamped_ms: int, values: Sequence[float]) -> None:
        self.dropped += len(self._samples) == self._samples.maxlen
        self._samples.append((t_ms, stamped_ms, values))

    def take(self) -> bytes:
        """The next message: the one sample that waits, or the oldest of many as arrays. Only when there are any."""
        count = min(len(self._samples), MOST_SAMPLES)
        _, times, rows = zip(*(self._samples.popleft() for _ in range(count)), strict=True)
        columns: Sequence[Any] = rows[0] if count == 1 else list(zip(*rows, strict=True))
        body = {
            "t": times[0] if count == 1 else times,
            "b": self._boot,
            "n": self._number(),
            "v": dict(zip(self._channels, columns, strict=True)),
        }
        return msgspec.json.encode(body)

    def event(self, telling: Telling) -> bytes:
        """A message of its own, under the next number."""
        said = telling.happening
        body = {
            "t": telling.stamped_ms,
            "b": self._boot,
            "n": self._number(),
            "kind": said.kind,
            "level": said.level,
            "text": said.text,
            "data": said.data,
        }
        return msgspec.json.encode(body)

    def _number(self) -> int:
        """One count for all that the device says."""
        self._sequence += 1
        return self._sequence - 1


def online(t_ms: int) -> bytes:
    return msgspec.json.encode({"t": t_ms, "state": "online"})


def offline(t_ms: int) -> bytes:
    return msgspec.json.encode({"t": t_ms, "state": "offline"})
