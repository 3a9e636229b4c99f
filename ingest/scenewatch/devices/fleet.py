"""All simulated devices of a scene as arrays: steps the physics, applies the faults, tells who is silent."""

from __future__ import annotations

import math
from dataclasses import dataclass
from hashlib import blake2b
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Final

import numpy as np

from scenewatch.devices.disturb import Disturbances
from scenewatch.devices.faults import FaultPlan, drives, lay
from scenewatch.devices.telling import Tellings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from scenewatch.devices.telling import Telling
    from scenewatch.model.place import Device
    from scenewatch.model.ports import Simulator
    from scenewatch.model.scene import Scene

MOST_STEPS: Final = 120
MOST_VALUES: Final = 250_000
"""In one block: bounds memory, and keeps a block in the cache of a large machine."""
NO_FAULTS: Final = FaultPlan()


@dataclass(frozen=True, slots=True)
class Block:
    """Some steps of the whole fleet."""

    t_ms: NDArray[np.int64]
    """(steps, devices): when each device takes its sample."""
    stamped_ms: NDArray[np.int64]
    """(steps, devices): what the device's clock says then; `t_ms` itself where all clocks are right."""
    sent_ms: NDArray[np.int64]
    """(steps, devices): when the sample can leave for the broker; `t_ms` itself where no gateway is away."""
    values: NDArray[np.float64]
    """(steps, columns): device by device, each in the order of its type's channels."""
    silent: NDArray[np.bool_]
    """(steps, devices)"""
    told: Sequence[Telling] = ()
    """What devices told of, in the order of time."""


class Fleet:
    """Steps at multiples of the reporting interval from `start_ms` on (rounded down to one).

    A device's samples are stamped at the step plus an offset of its own, so that the load is spread.
    """

    def __init__(
        self, scene: Scene, devices: Sequence[Device], *, seed: int, start_ms: int, plan: FaultPlan = NO_FAULTS
    ) -> None:
        types = {t.key: t for t in scene.device_types}
        self.devices = tuple(devices)
        self.channels = tuple(tuple(c.key for c in types[d.type].measured) for d in devices)
        self.first_column = np.cumsum([0, *map(len, self.channels)])
        self.every_ms = _interval(scene)
        self.offset_ms = np.array([offset_ms(d.id, self.every_ms) for d in devices], np.int64)
        self.at_ms = start_ms // self.every_ms * self.every_ms
        self.types = tuple(types[d.type] for d in devices)
        self._held: dict[tuple[str, int], float] = {}
        """Inputs of devices that somebody holds at a number."""
        self._latest: Block | None = None
        self._laid = lay(scene, devices, plan)
        self._disturbances = Disturbances(self._laid, [d.id for d in devices], self._column, seed=seed)
        self._tellings = Tellings(scene, devices, self._laid, seed=seed)
        self._simulator: Simulator = resolve_name(scene.simulator)(devices, seed=seed, start_ms=self.at_ms)
        columns = max(1, int(self.first_column[-1]))
        self._most_ms = max(1, min(MOST_STEPS, MOST_VALUES // columns)) * self.every_ms

    def advance(self, to_ms: int) -> Iterator[Block]:
        """The steps in (now, to_ms], in blocks."""
        last_ms = to_ms // self.every_ms * self.every_ms
        while self.at_ms < last_ms:
            until_ms = min(last_ms, self.at_ms + self._most_ms)
            steps_ms = np.arange(self.at_ms, until_ms, self.every_ms, dtype=np.int64) + self.every_ms
            t_ms = steps_ms[:, None] + self.offset_ms
            values = self._simulator.run(until_ms, self._driven(t_ms))
            span_ms, self.at_ms = (self.at_ms, until_ms), until_ms
            amiss = self._disturbances
            amiss.distort(t_ms, values)
            told = self._tellings.of(span_ms, t_ms, values)
            self._latest = Block(t_ms, amiss.stamped(t_ms), amiss.sent(t_ms), values, amiss.silent(t_ms), told)
            yield self._latest

    def _driven(self, t_ms: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
        """A fault is stronger than who holds an input: a valve that sticks does not move."""
        driven = drives(self._laid, t_ms)
        for (name, device), to in self._held.items():
            column = driven.setdefault(name, np.full(t_ms.shape, np.nan))[:, device]
            column[np.isnan(column)] = to
        return driven

    # --- one device, for those who command it

    def hold(self, device: int, name: str, to: float) -> None:
        """Keep an input of the physics at `to` from the next step on."""
        self._held[name, device] = to

    def let_go(self, device: int, name: str) -> None:
        """From the next step on the device does as it does by itself."""
        self._held.pop((name, device), None)

    def present(self, device: int, channel: str) -> float:
        """What it read in the latest step; NaN before the first."""
        return math.nan if self._latest is None else float(self._latest.values[-1, self._column(device, channel)])

    def is_silent(self, device: int) -> bool:
        return self._latest is not None and bool(self._latest.silent[-1, device])

    def clock_ahead_ms(self, device: int) -> int:
        """By how much the device's own clock is wrong."""
        latest = self._latest
        return 0 if latest is None else int(latest.stamped_ms[-1, device] - latest.t_ms[-1, device])

    def away(self, device: int) -> list[tuple[int, int]]:
        """Spans in which nothing of this device reaches the broker."""
        return self._disturbances.away(device)

    def _column(self, device: int, channel: str) -> int:
        return int(self.first_column[device]) + self.channels[device].index(channel)

    def skip(self, to_ms: int) -> None:
        """Live through a span that nobody is to see."""
        for _ in self.advance(to_ms):
            pass


def offset_ms(device_id: str, every_ms: int) -> int:
    """Where in the reporting interval a device takes its samples; fixed by its id for ever."""
    return int.from_bytes(blake2b(device_id.encode(), digest_size=8).digest(), "little") % every_ms


def _interval(scene: Scene) -> int:
    intervals = {t.every for t in scene.device_types if t.channels}
    if len(intervals) != 1:
        raise ValueError(f"scene {scene.key} has {len(intervals)} reporting intervals; a fleet steps at one")
    return intervals.pop()
