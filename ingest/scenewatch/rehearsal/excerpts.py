"""Readings around what turns out worth seeing: known only at the end, so a thin copy of the run is kept.

Of each channel that a rule watches or a fault shows in, one reading a minute: the one that differs most from the
minute before. Where that would take too much memory, steps get longer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from scenewatch.model.conditions import compared
from scenewatch.model.flags import Place
from scenewatch.model.insight import Departure, Lasting, LastRun, MeanWhile, Share, Slope, TimeTo, Usual
from scenewatch.model.words import days
from scenewatch.rehearsal.kernel import keep, thin
from scenewatch.rehearsal.report import Excerpt, Named

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from scenewatch.model.batch import Batch
    from scenewatch.model.registry import Registry
    from scenewatch.model.scene import Channel, DeviceType, Scene
    from scenewatch.rehearsal.report import Mark

    Times = NDArray[np.int64]
    Values = NDArray[np.float32]

DAY_MS: Final = int(days(1))
STEPS_A_DAY: Final = (1440, 720, 360, 180, 90, 45, 15, 5, 1)
"""From minutes on, ever coarser."""
BUDGET_BYTES: Final = 200_000_000
MOST_POINTS: Final = 600
"""As many as a chart can show."""
FEW_DAYS: Final = 8


class Excerpts:
    """Listens to checked batches; the inventory must be complete when it is made. One thread."""

    def __init__(self, registry: Registry, *, budget_bytes: int = BUDGET_BYTES) -> None:
        self._registry = registry
        self._budget_bytes = budget_bytes
        self._days: dict[int, Values] = {}
        """Of each day since 1970 a row a series and a column a step; NaN where nothing was measured."""
        self._steps = 0
        worth = [channel.key in _worth_keeping(scene, of) for scene, of, channel in registry.kinds]
        kept = np.array(worth, np.bool_)[np.array(registry.series_kind, np.intp)]
        self._rows = np.where(kept, np.cumsum(kept) - 1, -1).astype(np.int32)
        self._count = int(kept.sum())

    @property
    def bytes_kept(self) -> int:
        return sum(kept.nbytes for kept in self._days.values())

    def take(self, batch: Batch) -> None:
        if not len(batch) or not self._count:
            return
        wanted = batch.place != Place.DUPLICATE
        for day in _days_of(batch.t_ms):
            kept = self._day(day)
            step_ms = DAY_MS // kept.shape[1]
            keep(batch.series, batch.t_ms, batch.value, wanted, self._rows, kept, day * DAY_MS, step_ms)

    def around(
        self,
        device: str,
        channel: str,
        from_ms: int,
        to_ms: int,
        title: Named,
        limits: Sequence[float],
        marks: Sequence[Mark],
    ) -> Excerpt:
        """What was measured within [from_ms, to_ms). Raises KeyError where there is no such channel."""
        series = self._series(device, channel)
        found = self._registry.channel_of(series)
        number = self._registry.series_device[series]
        gap_ms = max(self._registry.type_of(number).gap_of(found), 2 * DAY_MS // STEPS_A_DAY[self._steps])
        t_ms, value = _drawn(*self._readings(series, from_ms, to_ms), gap_ms)
        return Excerpt(
            title=title,
            device=device,
            channel=Named(found.title.en, found.title.zh),
            unit=found.unit,
            t_ms=t_ms,
            value=value,
            limits=list(limits),
            marks=list(marks),
        )

    def _series(self, device: str, channel: str) -> int:
        number = self._registry.number(device)
        if number is not None:
            for series in self._registry.series_of(number):
                if self._registry.channel_of(series).key == channel:
                    return series
        raise KeyError(f"{device}.{channel}")

    def _readings(self, series: int, from_ms: int, to_ms: int) -> tuple[Times, Values]:
        """In time; nothing of a channel that is not kept."""
        t_ms, values = [np.empty(0, np.int64)], [np.empty(0, np.float32)]
        row = self._rows[series]
        for day in sorted(d for d in self._days if from_ms < (d + 1) * DAY_MS and d * DAY_MS < to_ms and row >= 0):
            of_day = self._days[day][row]
            at_ms = day * DAY_MS + np.arange(len(of_day)) * (DAY_MS // len(of_day))
            shown = ~np.isnan(of_day) & (at_ms >= from_ms) & (at_ms < to_ms)
            t_ms.append(at_ms[shown])
            values.append(of_day[shown])
        return np.concatenate(t_ms), np.concatenate(values)

    def _day(self, day: int) -> Values:
        if day not in self._days:
            self._days[day] = self._empty()
            while self.bytes_kept > self._budget_bytes and self._steps + 1 < len(STEPS_A_DAY):
                self._thin()
        return self._days[day]

    def _thin(self) -> None:
        self._steps += 1
        for day, kept in self._days.items():
            self._days[day] = self._empty()
            thin(kept, self._days[day])

    def _empty(self) -> Values:
        return np.full((self._count, STEPS_A_DAY[self._steps]), np.nan, np.float32)


def source_of(channel: Channel) -> str:
    """Key of the channel that a derived one follows; empty of what is measured."""
    match channel.derived:
        case None:
            return ""
        case Share(term=term) | Lasting(term=term) | LastRun(term=term):
            return term.channel
        case Departure(of=of) | Usual(of=of) | MeanWhile(of=of) | Slope(of=of) | TimeTo(of=of):
            return of


def _worth_keeping(scene: Scene, device_type: DeviceType) -> set[str]:
    """Keys of the channels that a rule watches or a fault shows in, and of those that they follow."""
    named = {on for rule in scene.rules for on in rule.on} | {on for fault in scene.faults for on in fault.shows}
    compares = {one.channel.key for rule in scene.rules for one in compared(rule, device_type)}
    kept = compares | {c.key for c in device_type.channels if f"{device_type.key}.{c.key}" in named}
    return kept | {source_of(c) for c in device_type.channels if c.key in kept}


def _days_of(t_ms: Times) -> Sequence[int]:
    """The days since 1970 that readings are of; nearly always one or two."""
    first, last = int(t_ms.min()) // DAY_MS, int(t_ms.max()) // DAY_MS
    if last - first < FEW_DAYS:
        return range(first, last + 1)
    return list(map(int, np.unique(t_ms // DAY_MS)))


def _drawn(t_ms: Times, value: Values, gap_ms: int) -> tuple[list[int], list[float | None]]:
    """As few points as show the same, with None in every gap."""
    piece = np.cumsum(np.diff(t_ms, prepend=t_ms[:1]) > gap_ms)
    if len(t_ms) > MOST_POINTS:
        chosen = _extremes(value)
        t_ms, value, piece = t_ms[chosen], value[chosen], piece[chosen]
    times: list[int] = []
    values: list[float | None] = []
    for at, (at_ms, one) in enumerate(zip(t_ms.tolist(), value.tolist(), strict=True)):
        if at and piece[at] != piece[at - 1]:
            times.append(times[-1] + 1)
            values.append(None)
        times.append(at_ms)
        values.append(float(f"{one:.6g}"))
    return times, values


def _extremes(value: Values) -> NDArray[np.intp]:
    """Places of the lowest and the highest of each of so many equal stretches, ascending."""
    width = -(-len(value) // (MOST_POINTS // 2))
    stretches = -(-len(value) // width)
    padded = np.pad(value, (0, stretches * width - len(value)), mode="edge").reshape(stretches, width)
    begins = np.arange(stretches) * width
    places = np.concatenate([begins + padded.argmin(axis=1), begins + padded.argmax(axis=1)])
    return np.unique(np.minimum(places, len(value) - 1))
