"""The thread that makes the record's minutes, hours and days: once they are over, and anew for what came late."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from scenewatch.model.errors import RefusedError, TemporaryError
from scenewatch.model.level import Level
from scenewatch.model.ports import Levels
from scenewatch.model.words import days, hours, minutes, seconds
from scenewatch.store.progress import Progress
from scenewatch.worker.outage import Lines, Outage
from scenewatch.worker.windows import utc_minute

if TYPE_CHECKING:
    from collections.abc import Callable

    from scenewatch.model.ports import Clock
    from scenewatch.store.progress import ProgressTable
    from scenewatch.worker.anew import Anew
    from scenewatch.worker.lateness import Lateness
    from scenewatch.worker.retention import Retention
    from scenewatch.worker.windows import Windows

log = logging.getLogger(__name__)

GRACE_MS = seconds(120)
"""A minute is made when the store has a reading this much after it: devices' clocks differ by up to 60 s."""
LOOK_S = 5.0
RETRY_S = 30.0
MOST_MS = {Level.MINUTE: hours(1), Level.HOUR: days(1), Level.DAY: days(7)}
"""Made at once, at most."""
MOST_EMPTY_MS = days(1)
"""Of minutes, where the stretch before had nothing."""
TELL_EVERY_MS = minutes(1)
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
        lateness: Lateness,
        anew: Anew,
        retention: Retention,
    ) -> None:
        self._store = store
        self._clock = clock
        self._windows = windows
        self._table = table
        self._lateness = lateness
        self._anew = anew
        self._retention = retention
        self._progress = table.load()
        self._empty_ms = 0
        """How long the stretch just looked at is that had nothing."""
        self._told_at_ms: int | None = None
        self._outage = Outage(clock, TROUBLE)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="summaries", daemon=True)

    def state(self) -> SummariesState:
        """From any thread."""
        return SummariesState(self._progress, self._anew.waiting, self._anew.dropped)

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
                began_s = time.monotonic()
                if self.step():
                    # A long record is gone over at half speed: the machine is there for what comes in.
                    self._stopping.wait(time.monotonic() - began_s)
                else:
                    self._stopping.wait(RETRY_S if self._outage.reason else LOOK_S)
        except Exception:
            # Readings are taken all the same, and what comes late is marked: the next start goes on from here.
            log.exception("the thread of the summaries ended")

    def step(self) -> bool:
        """Do a part of what is due; True when there is more. What fails holds up only what is made of it."""
        more, troubles = False, list[str]()
        parts: tuple[Callable[[], bool], ...] = (
            self._begin,
            self._advance_minutes,
            lambda: self._advance(Level.HOUR),
            lambda: self._advance(Level.DAY),
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
                claimed_ms = self._lateness.claim(self._windows.begin_ms(Level.HOUR, oldest_ms))
                day_ms, hour_ms = (self._windows.begin_ms(level, claimed_ms) for level in (Level.DAY, Level.HOUR))
                offset_minutes = self._windows.utc_offset_minutes
                self._save(Progress.begin(day_ms=day_ms, hour_ms=hour_ms, utc_offset_minutes=offset_minutes))
        elif self._progress.utc_offset_minutes != self._windows.utc_offset_minutes:
            self._save(self._with_other_days(self._progress))
        return False

    def _under_way(self) -> Progress | None:
        """None until `_begin` could do its part."""
        progress = self._progress
        offset_minutes = self._windows.utc_offset_minutes
        return progress if progress and progress.utc_offset_minutes == offset_minutes else None

    def _with_other_days(self, before: Progress) -> Progress:
        """Hours too are made anew if they begin at other times."""
        offset_minutes = self._windows.utc_offset_minutes
        log.warning(
            "keep.utc_offset_minutes is %d now and was %d: days are made anew from the hours that are kept; "
            "those that were made before stay beside them",
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

    def _advance_minutes(self) -> bool:
        """Make the next stretch, should one be due; True when the one behind it is, too."""
        progress = self._under_way()
        newest_ms = self._store.newest_ms()
        if progress is None or newest_ms is None:
            return False
        # A reading from the future, stored when the clock was wrong, must not make all others late.
        due_ms = self._windows.begin_ms(Level.MINUTE, min(newest_ms, self._clock.now_ms()) - GRACE_MS)
        from_ms = self._start_ms(progress, Level.MINUTE, due_ms)
        self._tell(from_ms, due_ms)
        if due_ms <= from_ms:
            return False
        most_ms = max(MOST_MS[Level.MINUTE], min(2 * self._empty_ms, MOST_EMPTY_MS))
        self._empty_ms = 0
        to_ms = min(due_ms, from_ms + most_ms)
        to_ms = min(to_ms, self._lateness.claim(to_ms))
        if to_ms <= from_ms:
            return False
        if not self._make(progress, Level.MINUTE, from_ms, to_ms):
            self._empty_ms = to_ms - from_ms
        return to_ms < due_ms

    def _advance(self, level: Level) -> bool:
        """The same for windows that are due when those they are made of are there."""
        progress = self._under_way()
        if progress is None:
            return False
        due_ms = self._windows.begin_ms(level, progress.until_ms(level.below))
        from_ms = self._start_ms(progress, level, due_ms)
        to_ms = min(due_ms, from_ms + MOST_MS[level])
        if to_ms <= from_ms:
            return False
        self._make(progress, level, from_ms, to_ms)
        return to_ms < due_ms

    def _start_ms(self, progress: Progress, level: Level, due_ms: int) -> int:
        """Without the windows that a server's retention may have cut into."""
        from_ms = progress.until_ms(level)
        expired_ms = self._retention.expired_by_others_ms(level.below, self._clock.now_ms())
        if expired_ms is None:
            return from_ms
        return max(from_ms, min(due_ms, self._windows.border_ms(level, expired_ms)))

    def _make(self, progress: Progress, level: Level, from_ms: int, to_ms: int) -> int:
        made = self._store.summarise(level, from_ms, to_ms)
        self._save(progress.moved(level, to_ms))
        return made

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
            log.info(
                "minutes, hours and days are made of the record: from %s to %s",
                utc_minute(from_ms),
                utc_minute(due_ms),
            )
            self._told_at_ms = now_ms

    # --- looking after what is there ------------------------------------------------------------------------

    def _make_late_ones(self) -> bool:
        progress = self._under_way()
        return progress is not None and self._anew.step(progress)

    def _delete(self) -> bool:
        progress = self._under_way()
        if progress is not None:
            self._retention.step(progress, self._clock.now_ms())
        return False
