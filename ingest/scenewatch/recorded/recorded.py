"""Files of one or many kinds, in any order, as readings in the order of time, each (device, channel, time) once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scenewatch.recorded.notes import Notes


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """Readings ascending by time, then device, then channel."""

    files: tuple[str, ...]
    devices: tuple[str, ...]
    """As the files call them; `device` are places among them."""
    channels: tuple[str, ...]
    """Keys; `channel` are places among them."""
    device: NDArray[np.int32]
    channel: NDArray[np.int32]
    t_ms: NDArray[np.int64]
    value: NDArray[np.float64]
    notes: Notes

    def __len__(self) -> int:
        return len(self.t_ms)

    def channels_of(self) -> list[tuple[str, ...]]:
        """Of each device the keys of those it has readings of, in the order of `channels`."""
        found: list[list[str]] = [[] for _ in self.devices]
        pairs = self.device.astype(np.int64) * len(self.channels) + self.channel
        for pair in np.flatnonzero(np.bincount(pairs)).tolist():
            device, channel = divmod(pair, len(self.channels))
            found[device].append(self.channels[channel])
        return [tuple(keys) for keys in found]

    def intervals_ms(self) -> list[int]:
        """Of each device the usual step between two times at which it reported; 0 where it did once at most."""
        found = []
        for device in range(len(self.devices)):
            steps = np.diff(self.t_ms[self.device == device])
            steps = steps[steps > 0]
            found.append(int(np.median(steps)) if len(steps) else 0)
        return found

    def between(self, from_ms: int | None, to_ms: int | None) -> Recorded:
        """The readings in [from_ms, to_ms)."""
        begin = 0 if from_ms is None else int(np.searchsorted(self.t_ms, from_ms))
        end = len(self) if to_ms is None else int(np.searchsorted(self.t_ms, to_ms))
        cut = slice(begin, end)
        return replace(
            self, device=self.device[cut], channel=self.channel[cut], t_ms=self.t_ms[cut], value=self.value[cut]
        )
