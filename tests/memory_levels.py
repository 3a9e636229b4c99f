"""A store in memory that keeps the contracts of `Store`, as far as summaries need it, and `Levels`."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from scenewatch.model.flags import Flag
from scenewatch.model.level import Level

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scenewatch.model.batch import Batch

Place = tuple[str, int]
MADE = (Level.MINUTE, Level.HOUR, Level.DAY)


class Window(NamedTuple):
    """One summary; `total` in place of the mean, so that sums are exact."""

    low: float
    high: float
    total: float
    count: int
    good: int
    flag: int


class MemoryLevels:
    """`calls` has what was asked for, as (level, from, to, devices)."""

    def __init__(self) -> None:
        self.rows: dict[Level, dict[Place, Window]] = {level: {} for level in Level}
        self.calls: list[tuple[Level, int, int, tuple[str, ...] | None]] = []
        self.forgotten: list[Mapping[Level, int]] = []

    @property
    def readings(self) -> dict[Place, Window]:
        return self.rows[Level.READING]

    def put(self, series: str, t_ms: int, value: float, flag: int = Flag.GOOD) -> None:
        good = int(flag != Flag.FAIL)
        self.readings.setdefault((series, t_ms), Window(value, value, value * good, 1, good, flag))

    def write(self, batch: Batch, names: Sequence[str]) -> None:
        columns = (batch.series, batch.t_ms, batch.value, batch.flag)
        for series, t_ms, value, flag in zip(*(column.tolist() for column in columns), strict=True):
            self.put(names[series], t_ms, value, flag)

    def newest_ms(self) -> int | None:
        return max((t_ms for _, t_ms in self.readings), default=None)

    def oldest_ms(self) -> int | None:
        return min((t_ms for _, t_ms in self.readings), default=None)

    def summarise(self, level: Level, from_ms: int, to_ms: int, *, devices: Sequence[str] | None = None) -> int:
        assert (to_ms - from_ms) % level.span_ms == 0
        assert from_ms < to_ms
        self.calls.append((level, from_ms, to_ms, None if devices is None else tuple(devices)))
        made = windows(self.rows[level.below], level, from_ms, to_ms)
        chosen = {p: w for p, w in made.items() if devices is None or p[0].rpartition(".")[0] in devices}
        self.rows[level].update(chosen)
        return len(chosen)

    def forget(self, before_ms: Mapping[Level, int]) -> int:
        self.forgotten.append(before_ms)
        count = sum(map(len, self.rows.values()))
        for level, at_ms in before_ms.items():
            self.rows[level] = {place: w for place, w in self.rows[level].items() if place[1] >= at_ms}
        return count - sum(map(len, self.rows.values()))


def windows(below: Mapping[Place, Window], level: Level, from_ms: int, to_ms: int) -> dict[Place, Window]:
    """Every window of the level in [from, to) that has something."""
    parts = defaultdict[Place, list[Window]](list)
    for (series, t_ms), window in below.items():
        if from_ms <= t_ms < to_ms:
            parts[series, t_ms - (t_ms - from_ms) % level.span_ms].append(window)
    return {place: _joined(some) for place, some in parts.items()}


def _joined(parts: Sequence[Window]) -> Window:
    low, high, total, count, good, flag = zip(*parts, strict=True)
    return Window(min(low), max(high), sum(total), sum(count), sum(good), max(flag))
