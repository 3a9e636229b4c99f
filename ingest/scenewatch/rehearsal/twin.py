"""Holds a run with faults against its twin without: how much each fault changed what devices told.

Both runs are on the same random numbers, so that every difference is the fault's. Compared block by block, because
a month of readings would fill the memory.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from scenewatch.model.fault import Drift, Frozen, PhysicsEffect, Spikes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from scenewatch.rehearsal.draw import Drawn

DAY_MS: Final = 86_400_000
GAUSSIAN: Final = 1.4826
"""From the median of absolute deviations to the standard deviation."""
DIGITS: Final = 9
"""Differences of readings are rounded to so many: two that should be equal differ in the last bits."""
OF_VALUES: Final = PhysicsEffect | Frozen | Drift | Spikes
"""Effects that change what a device reads; all others change when it is told, or whether."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a fleet's devices and channels stand among its columns."""

    ids: tuple[str, ...]
    """Of the devices."""
    channels: tuple[tuple[str, ...], ...]
    """Of each device, its measured channels' keys."""
    kinds: tuple[str, ...]
    """Of each column, `<device type>.<channel>`."""
    series: tuple[int, ...]
    """Of each column, its number in the registry."""

    def numbers(self) -> dict[str, int]:
        return {device: n for n, device in enumerate(self.ids)}

    def columns(self) -> list[range]:
        """Of each device."""
        firsts = np.cumsum([0, *map(len, self.channels)]).tolist()
        return [range(first, first + len(keys)) for first, keys in zip(firsts, self.channels, strict=False)]


@dataclass(slots=True)
class _Compared:
    """One fault, while it is compared."""

    from_ms: int
    until_ms: int
    device: int
    """Whose time counts: its reporting times are those of its site within one step."""
    columns: NDArray[np.intp]
    worst: NDArray[np.float64]
    """Largest deviation so far, of each of the columns."""


@dataclass(slots=True)
class Twin:
    """Fed with every block of both runs, in the order of time."""

    layout: Layout
    faults: Sequence[Drawn]
    _compared: list[_Compared | None] = field(init=False)
    _first_day: list[NDArray[np.float64]] = field(init=False, default_factory=list)
    _noise: NDArray[np.float64] | None = field(init=False, default=None)
    _steps: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        numbers, columns = self.layout.numbers(), self.layout.columns()
        self._compared = [self._of(fault, numbers, columns) for fault in self.faults]

    def _of(self, drawn: Drawn, numbers: dict[str, int], columns: list[range]) -> _Compared | None:
        if not isinstance(drawn.fault.effect, OF_VALUES):
            return None
        reached = np.array([c for d in sorted(drawn.reaches) for c in columns[numbers[d]]], np.intp)
        return _Compared(
            from_ms=drawn.from_ms,
            until_ms=drawn.to_ms + drawn.fault.tail,
            device=numbers[drawn.device.id],
            columns=reached,
            worst=np.zeros(len(reached)),
        )

    def take(self, t_ms: NDArray[np.int64], values: NDArray[np.float64], clean: NDArray[np.float64]) -> None:
        """`t_ms` is (steps, devices); the values of both runs are (steps, columns)."""
        if self._noise is None:
            self._learn(t_ms, clean)
        for fault in self._compared:
            if fault is None or fault.until_ms < t_ms[0].min() or fault.from_ms > t_ms[-1].max():
                continue
            at_ms = t_ms[:, fault.device]
            now = np.flatnonzero((fault.from_ms <= at_ms) & (at_ms <= fault.until_ms))
            if len(now):
                rows = slice(int(now[0]), int(now[-1]) + 1)
                apart = np.abs(values[rows, fault.columns] - clean[rows, fault.columns])
                np.maximum(fault.worst, apart.max(axis=0), out=fault.worst)

    def _learn(self, t_ms: NDArray[np.int64], clean: NDArray[np.float64]) -> None:
        """The noise from the first day, which is let go then."""
        self._first_day.append(clean)
        self._steps += len(clean)
        step_ms = int(t_ms[1, 0] - t_ms[0, 0]) if len(t_ms) > 1 else DAY_MS
        if self._steps * step_ms >= DAY_MS:
            self._noise = noise(np.concatenate(self._first_day), self._kinds())
            self._first_day.clear()

    def _kinds(self) -> list[str]:
        """Site by site, so that it is the same whatever other sites there are."""
        of_column = (
            d.rpartition(".")[0]
            for d, keys in zip(self.layout.ids, self.layout.channels, strict=True)
            for _ in keys
        )
        return [f"{site}.{kind}" for site, kind in zip(of_column, self.layout.kinds, strict=True)]

    def effects(self) -> list[float | None]:
        """Of each fault the largest deviation of a channel in units of its noise; None where none can deviate."""
        noise_of = self._noise
        if noise_of is None and self._first_day:
            noise_of = noise(np.concatenate(self._first_day), self._kinds())
        if noise_of is None:
            return [None] * len(self._compared)
        return [
            None if f is None else float((f.worst / noise_of[f.columns]).max(initial=0.0)) for f in self._compared
        ]


def noise(values: NDArray[np.float64], kinds: Sequence[str]) -> NDArray[np.float64]:
    """Of each column, from the steps between neighbouring readings of all columns of its kind.

    By the median, so that what really happens counts little; at least the smallest step that a reading makes, so
    that a switch has the noise 1, as has what never moves.
    """
    steps = np.abs(np.round(np.diff(values, axis=0), DIGITS))
    of_kind: dict[str, list[int]] = defaultdict(list)
    for column, kind in enumerate(kinds):
        of_kind[kind].append(column)
    found = np.ones(len(kinds))
    for columns in of_kind.values():
        made = steps[:, columns]
        moved = made[made > 0]
        if len(moved):
            found[columns] = max(float(moved.min()), GAUSSIAN * float(np.median(made)) / math.sqrt(2))
    return found
