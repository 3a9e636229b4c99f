"""How high and how low a series stayed for as long as a rule's delay: limits worth trying lie among these."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

STEPS: Final = 200
"""Into which the span between ordinary and extreme is cut, at least: limits are round numbers."""
ROUND: Final = (1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Stayed:
    """Of each stretch of time and series, the values between which it stayed."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]


class Levels:
    """Of some series, in stretches of one length. Time and series may come in any order, and in any pieces."""

    def __init__(self, series: Sequence[int], count: int, stretch_ms: int) -> None:
        """Of `count` series that there are."""
        self._place = np.full(count, -1, np.int64)
        self._place[np.array(series, np.int64)] = np.arange(len(series))
        self._count = len(series)
        self._stretch_ms = stretch_ms
        self._parts: list[tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]] = []

    def take(self, series: NDArray[np.integer], t_ms: NDArray[np.int64], value: NDArray[np.float64]) -> bool:
        """Only readings that can be trusted. Whether any was of these series."""
        place = self._place[series]
        mine = place >= 0
        if not mine.any():
            return False
        keys = (t_ms[mine] // self._stretch_ms) * self._count + place[mine]
        self._parts.append(_by_key(keys, value[mine], value[mine]))
        return True

    def stayed(self) -> Stayed:
        if not self._parts:
            return Stayed(np.empty(0), np.empty(0))
        _, low, high = _by_key(*(np.concatenate(column) for column in zip(*self._parts, strict=True)))
        return Stayed(low, high)


def _by_key(
    keys: NDArray[np.int64], low: NDArray[np.float64], high: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    order = np.argsort(keys, kind="stable")
    found, begins = np.unique(keys[order], return_index=True)
    return found, np.minimum.reduceat(low[order], begins), np.maximum.reduceat(high[order], begins)


def ladder(stayed: Stayed, *, rising: bool, rungs: int) -> list[float]:
    """Round limits from one that nothing passes inwards, each passed by about twice as much as the one before.

    Above a limit a series stays for a stretch if the lowest of it is above; the same the other way round.
    """
    outward = np.sort(stayed.low)[::-1] if rising else np.sort(-stayed.high)[::-1]
    if not len(outward):
        return []
    step = round_step(outward[0] - float(np.median(outward)), outward[0])
    places = [0, *(2**n for n in range(rungs - 1) if 2**n < len(outward) / 2)]
    limits = dict.fromkeys(math.ceil(outward[place] / step) for place in places)
    return [_written(limit * step if rising else -limit * step) for limit in limits]


def round_step(span: float, size: float) -> float:
    """A round number of which `span` holds enough; of what never moves a small part of its `size`."""
    wanted = (span or abs(size) or 1.0) / STEPS
    power = 10.0 ** math.floor(math.log10(wanted))
    return next(power * n for n in ROUND if power * n >= wanted * (1 - 1e-9))


def _written(limit: float) -> float:
    """Without the last digits that come of counting in steps, and never a minus before zero."""
    return float(f"{limit:.10g}") + 0.0


class Silences:
    """The longest times between two readings of each series."""

    def __init__(self, series: Sequence[int], longer_ms: int) -> None:
        """Only those longer than `longer_ms` are kept."""
        self._last: dict[int, int | None] = dict.fromkeys(series)
        self._longer_ms = longer_ms
        self._found: list[int] = []

    def take(self, series: NDArray[np.integer], t_ms: NDArray[np.int64]) -> bool:
        """In the order of time. Whether any was of these series."""
        found = False
        for one, before in self._last.items():
            times = t_ms[series == one]
            if len(times):
                found = True
                steps = np.diff(times, prepend=times[:1] if before is None else before)
                self._found += steps[steps > self._longer_ms].tolist()
                self._last[one] = int(times[-1])
        return found

    def ladder(self, rungs: int) -> list[int]:
        """Whole minutes from one that no silence reaches inwards, each passed by about twice as many."""
        longest = sorted(self._found, reverse=True)
        places = [0, *(2**n for n in range(rungs - 1))]
        minutes = dict.fromkeys(longest[place] // 60_000 + 1 for place in places if place < len(longest))
        return [n * 60_000 for n in minutes]
