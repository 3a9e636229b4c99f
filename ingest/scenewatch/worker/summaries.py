"""The thread that makes the record's minutes, hours and days: once they are over, and anew for what came late."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import batched
from typing import TYPE_CHECKING, Protocol

from scenewatch.model.errors import RefusedError, TemporaryError
from scenewatch.model.level import Level
from scenewatch.model.ports import Levels
from scenewatch.model.words import days, hours, minutes, seconds
from scenewatch.store.progress import Progress
from scenewatch.worker.outage import Lines, Outage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scenewatch.model.ports import Clock
    from scenewatch.store.latemarks import LateMark, LateMarks
    from scenewatch.store.progress import ProgressTable
    from scenewatch.worker.lateness import Lateness
    from scenewatch.worker.retention import Retention
    from scenewatch.worker.windows import Windows

log = logging.getLogger(__name__)

GRACE_MS = seconds(120)
"""A minute is made when the store has a reading this much after it: devices' clocks differ by up to 60 s."""
LOOK_S = 5.0
RETRY_S = 30.0
MOST_MS = {Level.MINUTE: hours(1), Level.HOUR: hours(6), Level.DAY: days(7)}
"""Made at once, at most."""
MOST_EMPTY_MS = days(1)
"""Of minutes, where the stretch before had nothing."""
MOST_DEVICES = 1000
"""Made anew at once."""
TELL_EVERY_MS = minutes(1)
LEVELS = (Level.MINUTE, Level.HOUR, Level.DAY)
TROUBLE = Lines(
    "minutes, hours or days of the record cannot be made now, that is caught up on later: %s",
    "minutes, hours or days of the record can still not be made, now: %s",
    "minutes, hours and days of the record are made again",
)


class Summarised(Levels, Protocol):
    """The store as this thread sees it."""

    def newest_ms(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class SummariesState:
    """How far the summaries are, at one moment."""

    progress: Progress | None
    """None while the store is empty."""
    waiting: int
    """Hours of devices that are to be made anew."""
    dropped: int
    """Those given up since the start: what they would be made of may be gone."""


class Summaries:
    """Goes over the record once, oldest first, and then along with it; `step` is the whole of it.

    After a crash the stretch at hand is made once more, which changes nothing.
    """

    def __init__(
        self,
        *,
        store: Summarised,
        clock: Clock,
        windows: Windows,
        table: ProgressTable,
        marks: LateMarks,
        lateness: Lateness,
        retention: Retention,
    ) -> None:
        self._store = store
        self._clock = clock
        self._windows = windows
        self._table = table
        self._marks = marks
        self._lateness = lateness
        self._retention = retention
        self._progress = table.load()
        self._waiting = marks.count()
        self._dropped = 0
        self._empty_ms = 0
        """How long the stretch just looked at is that had nothing."""
        self._told_at_ms: int | None = None
        self._outage = Outage(clock, TROUBLE)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="summaries", daemon=True)

    def state(self) -> SummariesState:
        """From any thread."""
        return SummariesState(self._progress, self._waiting, self._dropped)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End after the stretch at hand."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                more = self.step()
                pause_s = RETRY_S if self._outage.reason else 0.0 if more else LOOK_S
                self._stopping.wait(pause_s)
        except Exception:
            # Readings are taken all the same, and what comes late is marked: the next start goes on from here.
            log.exception("the thread of the summaries ended")

    def step(self) -> bool:
        """Do a part of what is due; True when there is more. What fails holds up only what is made of it."""
        more, troubles = False, list[str]()
        parts: tuple[Callable[[], bool], ...] = (
            self._begin,
            *(lambda level=level: self._advance(level) for level in LEVELS),
            self._make_late_ones,
            self._delete,
        )
        for part in parts:
            if self._stopping.is_set():
                break
            try:
                more |= part()
            except (TemporaryError, RefusedError) as error:
                troubles.append(str(error))
        if troubles:
            self._outage.goes_on(troubles[0])
        else:
            self._outage.is_over()
        return more

    # --- going along ---------------------------------------------------------------------------------------

    def _begin(self) -> bool:
        """With the first reading; and anew when days begin at another time."""
        if self._progress is None:
            oldest_ms = self._store.oldest_ms()
            if oldest_ms is not None:
                claimed_ms = self._lateness.claim(self._windows.begin_ms(Level.DAY, oldest_ms))
                begin_ms = self._windows.begin_ms(Level.DAY, claimed_ms)
                self._save(Progress.begin(begin_ms, self._windows.utc_offset_minutes))
        elif self._progress.utc_offset_minutes != self._windows.utc_offset_minutes:
            self._save(self._with_other_days(self._progress))
        return False

    def _with_other_days(self, before: Progress) -> Progress:
        """Hours too are made anew if they begin at other times."""
        offset_minutes = self._windows.utc_offset_minutes
        log.warning(
            "keep.utc_offset_minutes is %d now and was %d: days are made anew from the hours that are kept; "
            "days before those stay as they are",
            offset_minutes,
            before.utc_offset_minutes,
        )
        oldest_ms = self._store.oldest_ms()
        begun_ms = before.begun_ms if oldest_ms is None else min(before.begun_ms, oldest_ms)
        whole_hours = (offset_minutes - before.utc_offset_minutes) % 60 == 0
        hour_ms = before.hour_ms if whole_hours else self._first_whole(Level.HOUR, begun_ms)
        return Progress(
            utc_offset_minutes=offset_minutes,
            begun_ms=self._windows.begin_ms(Level.DAY, begun_ms),
            minute_ms=before.minute_ms,
            hour_ms=hour_ms,
            day_ms=self._first_whole(Level.DAY, begun_ms),
        )

    def _first_whole(self, level: Level, from_ms: int) -> int:
        """Where the first window begins that has all it was made of."""
        expired_ms = self._retention.expired_ms(level.below, self._clock.now_ms())
        begin_ms = self._windows.begin_ms(level, from_ms)
        return begin_ms if expired_ms is None else max(begin_ms, self._windows.border_ms(level, expired_ms))

    def _advance(self, level: Level) -> bool:
        """Make the next stretch of windows, should one be due; True when the one behind it is, too."""
        progress = self._progress
        if progress is None:
            return False
        due_ms = self._due_ms(progress, level)
        from_ms = progress.until_ms(level)
        expired_ms = self._retention.expired_by_others_ms(level.below, self._clock.now_ms())
        if expired_ms is not None:
            from_ms = max(from_ms, min(due_ms, self._windows.border_ms(level, expired_ms)))
        to_ms = min(due_ms, from_ms + MOST_MS[level])
        if level is Level.MINUTE:
            to_ms = min(due_ms, from_ms + max(MOST_MS[level], min(2 * self._empty_ms, MOST_EMPTY_MS)))
            self._tell(from_ms, due_ms)
            to_ms = self._lateness.claim(to_ms) if to_ms > from_ms else to_ms
        if to_ms <= from_ms:
            return False
        self._empty_ms, made = 0, self._store.summarise(level, from_ms, to_ms)
        if level is Level.MINUTE and not made:
            self._empty_ms = to_ms - from_ms
        self._save(progress.moved(level, to_ms))
        return to_ms < due_ms

    def _due_ms(self, progress: Progress, level: Level) -> int:
        """A reading from the future, stored by a clock that was wrong, must not make all others late."""
        if level is not Level.MINUTE:
            return self._windows.begin_ms(level, progress.until_ms(level.below))
        newest_ms = self._store.newest_ms()
        if newest_ms is None:
            return progress.minute_ms
        return self._windows.begin_ms(level, min(newest_ms, self._clock.now_ms()) - GRACE_MS)

    def _save(self, progress: Progress) -> None:
        self._table.save(progress)
        self._progress = progress

    def _tell(self, from_ms: int, due_ms: int) -> None:
        """Of a long record, each minute, how far it is."""
        now_ms = self._clock.now_ms()
        if due_ms - from_ms <= MOST_MS[Level.MINUTE]:
            if self._told_at_ms is not None:
                log.info("minutes, hours and days of the record are up to date")
            self._told_at_ms = None
        elif self._told_at_ms is None or now_ms - self._told_at_ms >= TELL_EVERY_MS:
            log.info("minutes, hours and days are made of the record: from %s to %s", _at(from_ms), _at(due_ms))
            self._told_at_ms = now_ms

    # --- making anew ---------------------------------------------------------------------------------------

    def _make_late_ones(self) -> bool:
        """What is marked for one day."""
        if self._progress is None:
            return False
        marked = self._lateness.take()
        try:
            if marked:
                self._make_day_anew(marked)
            self._waiting = self._marks.count()
        except BaseException:
            self._lateness.put_back(marked)
            raise
        return bool(marked)

    def _make_day_anew(self, marked_hours_ms: Sequence[int]) -> None:
        """The marks go when all that is made of their hours is right."""
        done = list[tuple[int, list[LateMark]]]()
        touched = set[str]()
        for hour_ms in marked_hours_ms:
            found = self._marks.of(hour_ms)
            done.append((hour_ms, found))
            devices = [mark.device for mark in found]
            if self._may_be_cut(Level.HOUR, Level.READING, hour_ms):
                self._drop(hour_ms, devices)
                continue
            end_ms = hour_ms + Level.HOUR.span_ms
            self._make_anew(Level.MINUTE, hour_ms, end_ms, devices)
            self._make_anew(Level.HOUR, hour_ms, end_ms, devices)
            touched.update(devices)
        last_ms = marked_hours_ms[-1] + Level.HOUR.span_ms
        if not self._may_be_cut(Level.DAY, Level.HOUR, marked_hours_ms[0]):
            self._make_anew(Level.DAY, marked_hours_ms[0], last_ms, sorted(touched))
        elif touched:
            self._drop(marked_hours_ms[0], sorted(touched))
        for hour_ms, found in done:
            self._marks.remove(hour_ms, found)

    def _may_be_cut(self, level: Level, made_of: Level, t_ms: int) -> bool:
        """Made anew of what is left, a good summary would shrink."""
        expired_ms = self._retention.expired_ms(made_of, self._clock.now_ms())
        return expired_ms is not None and self._windows.begin_ms(level, t_ms) < expired_ms

    def _make_anew(self, level: Level, from_ms: int, to_ms: int, devices: Sequence[str]) -> None:
        """The windows that have been made already; the others are still to come."""
        if self._progress is None:
            return
        begin_ms = self._windows.begin_ms(level, from_ms)
        end_ms = min(self._windows.border_ms(level, to_ms), self._progress.until_ms(level))
        if begin_ms < end_ms:
            for some in batched(devices, MOST_DEVICES):
                self._store.summarise(level, begin_ms, end_ms, devices=some)

    def _drop(self, hour_ms: int, devices: Sequence[str]) -> None:
        if not self._dropped:
            log.warning(
                "readings of %s came for summaries that are not made anew, such as those of %s: part of what they "
                "were made of may no longer be kept; told once",
                devices[0],
                _at(hour_ms),
            )
        self._dropped += len(devices)

    def _delete(self) -> bool:
        if self._progress is not None:
            self._retention.step(self._progress, self._clock.now_ms())
        return False


def _at(t_ms: int) -> str:
    return f"{datetime.fromtimestamp(t_ms / 1000, UTC):%Y-%m-%d %H:%M} UTC"
