"""Makes windows anew for which something came late, day by day of the record."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from scenewatch.model.level import Level
from scenewatch.worker.windows import utc_minute

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenewatch.model.ports import Clock, Levels
    from scenewatch.store.latemarks import LateMarks
    from scenewatch.store.progress import Progress
    from scenewatch.worker.lateness import Lateness
    from scenewatch.worker.retention import Retention
    from scenewatch.worker.windows import Windows

log = logging.getLogger(__name__)

MOST_DEVICES = 1000
"""In one call."""


class Anew:
    """Takes what `Lateness` has marked. In the thread of the summaries."""

    def __init__(
        self,
        levels: Levels,
        clock: Clock,
        windows: Windows,
        *,
        marks: LateMarks,
        lateness: Lateness,
        retention: Retention,
    ) -> None:
        self._levels = levels
        self._clock = clock
        self._windows = windows
        self._marks = marks
        self._lateness = lateness
        self._retention = retention
        self.waiting = marks.count()
        """Hours of devices."""
        self.dropped = 0

    def step(self, progress: Progress) -> bool:
        """What is marked for one day; True if there was. Raises TemporaryError: it is done later, then."""
        marked_ms = self._lateness.take()
        try:
            if marked_ms:
                self._make_day_anew(progress, marked_ms)
            self.waiting = self._marks.count()
        except BaseException:
            self._lateness.put_back(marked_ms)
            raise
        return bool(marked_ms)

    def _make_day_anew(self, progress: Progress, hours_ms: Sequence[int]) -> None:
        """The marks go when all that is made of their hours is right."""
        marks = {hour_ms: self._marks.of(hour_ms) for hour_ms in hours_ms}
        touched = set[str]()
        for hour_ms, found in marks.items():
            devices = [mark.device for mark in found]
            if self._may_be_cut(Level.HOUR, Level.READING, hour_ms):
                self._drop(hour_ms, devices)
                continue
            for level in (Level.MINUTE, Level.HOUR):
                self._make(progress, level, hour_ms, hour_ms, devices)
            touched.update(devices)
        if self._may_be_cut(Level.DAY, Level.HOUR, hours_ms[0]):
            self._drop(hours_ms[0], sorted(touched))
        else:
            self._make(progress, Level.DAY, hours_ms[0], hours_ms[-1], sorted(touched))
        for hour_ms, found in marks.items():
            self._marks.remove(hour_ms, found)

    def _make(self, progress: Progress, level: Level, first_ms: int, last_ms: int, devices: Sequence[str]) -> None:
        """The windows of the hours from the first to the last, as far as they have been made before."""
        begin_ms = self._windows.begin_ms(level, first_ms)
        end_ms = self._windows.border_ms(level, last_ms + Level.HOUR.span_ms)
        end_ms = min(end_ms, progress.until_ms(level))
        if begin_ms >= end_ms:
            return
        for first in range(0, len(devices), MOST_DEVICES):
            some = devices[first : first + MOST_DEVICES]
            self._levels.summarise(level, begin_ms, end_ms, devices=some)

    def _may_be_cut(self, level: Level, made_of: Level, t_ms: int) -> bool:
        """Made anew of what is left, a good summary would shrink."""
        expired_ms = self._retention.expired_ms(made_of, self._clock.now_ms())
        return expired_ms is not None and self._windows.begin_ms(level, t_ms) < expired_ms

    def _drop(self, hour_ms: int, devices: Sequence[str]) -> None:
        if devices and not self.dropped:
            log.warning(
                "readings of %s came late for summaries that are not made anew, such as those of %s: part of what "
                "they are made of may no longer be kept; told once",
                devices[0],
                utc_minute(hour_ms),
            )
        self.dropped += len(devices)
