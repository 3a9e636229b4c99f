"""What befalls samples between the world and the broker: sensors that err, wrong clocks, gateways that are away."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Final

import numpy as np

from scenewatch.model.fault import Away, Drift, Frozen, Silence, Spikes, WrongClock
from scenewatch.model.words import minutes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from scenewatch.devices.faults import Laid

MIX: Final = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
"""Multipliers of the SplitMix64 finaliser."""


class Disturbances:
    """The plan's faults beyond the physics. Blocks must come in the order of time: a frozen sensor remembers."""

    def __init__(
        self, laid: Sequence[Laid], ids: Sequence[str], column: Callable[[int, str], int], *, seed: int
    ) -> None:
        """`column` finds a device's channel among the values."""
        self._laid = [fault for fault in laid if isinstance(fault.effect, Silence | WrongClock | Away)]
        self._sensors = [fault for fault in laid if isinstance(fault.effect, Frozen | Drift | Spikes)]
        self._column = column
        self._keys = [blake2b(f"{seed}/{name}/spikes".encode(), digest_size=8).digest() for name in ids]
        self._held: dict[tuple[int, int], float] = {}
        """What the column of each fault read last before it froze: one sensor may freeze again."""

    def silent(self, t_ms: NDArray[np.int64]) -> NDArray[np.bool_]:
        """(steps, devices)"""
        silent = np.zeros(t_ms.shape, np.bool_)
        for _, device, now in self._during(Silence, t_ms):
            silent[now, device] = True
        return silent

    def stamped(self, t_ms: NDArray[np.int64]) -> NDArray[np.int64]:
        """What the devices' own clocks say when they take their samples."""
        stamped = t_ms
        for fault, device, now in self._during(WrongClock, t_ms):
            if stamped is t_ms:
                stamped = t_ms.copy()
            stamped[now, device] = t_ms[now, device] + minutes(fault.size)
        return stamped

    def sent(self, t_ms: NDArray[np.int64]) -> NDArray[np.int64]:
        """When the samples leave for the broker: as they are taken, or when their gateway is back."""
        sent = t_ms
        for fault, device, now in self._during(Away, t_ms):
            if sent is t_ms:
                sent = t_ms.copy()
            sent[now, device] = np.maximum(sent[now, device], fault.to_ms)
        return sent

    def away(self, device: int) -> list[tuple[int, int]]:
        """When nothing of this device reaches the broker."""
        return [(f.from_ms, f.to_ms) for f in self._laid if isinstance(f.effect, Away) and device in f.devices]

    def distort(self, t_ms: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        """Lay the sensors' errors onto the values (steps, columns), in the order of the plan."""
        for place in range(len(self._sensors)):
            for device in self._sensors[place].devices:
                self._distort(place, device, t_ms[:, device], values)

    def _distort(self, place: int, device: int, t_ms: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        fault = self._sensors[place]
        effect = fault.effect
        if not isinstance(effect, Frozen | Drift | Spikes):
            raise TypeError(f"{effect} is no error of a sensor")
        column = self._column(device, effect.channel)
        now = fault.during(t_ms)
        read = values[:, column]
        if isinstance(effect, Frozen):
            self._freeze((place, column), now, read)
        elif isinstance(effect, Drift):
            steps = np.round(effect.sign * fault.size * fault.grown(t_ms[now]) / effect.resolution)
            per_unit = round(1 / effect.resolution)
            read[now] = np.round(read[now] * per_unit + steps) / per_unit
        else:
            struck = now & (_uniform(self._keys[device], t_ms) < effect.share)
            read[struck] += fault.size

    def _freeze(self, which: tuple[int, int], now: NDArray[np.bool_], read: NDArray[np.float64]) -> None:
        """A sensor that is frozen from the very first step on holds what it reads there."""
        if now.any():
            first = int(now.argmax())
            held = float(read[first - 1]) if first else self._held.get(which, float(read[0]))
            read[now] = held
        self._held[which] = float(read[-1])

    def _during(
        self, kind: type[Silence | WrongClock | Away], t_ms: NDArray[np.int64]
    ) -> Iterator[tuple[Laid, int, NDArray[np.bool_]]]:
        for fault in self._laid:
            if isinstance(fault.effect, kind) and fault.within(t_ms):
                for device in fault.devices:
                    now = fault.during(t_ms[:, device])
                    if now.any():
                        yield fault, device, now


def _uniform(key: bytes, t_ms: NDArray[np.int64]) -> NDArray[np.float64]:
    """In [0, 1), from a device's key and the time alone, so that any run from any start draws the same."""
    x = t_ms.astype(np.uint64) ^ np.uint64(int.from_bytes(key, "little"))
    for shift, factor in zip((30, 27), MIX, strict=True):
        x = (x ^ (x >> np.uint64(shift))) * np.uint64(factor)
    return (x >> np.uint64(11)).astype(np.float64) / float(2**53)
