"""For how long each level of the record is kept, and the deleting of what is older, where the worker does it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from scenewatch.model.level import Level
from scenewatch.model.words import days, hours, minutes
from scenewatch.worker.windows import utc_minute

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scenewatch.model.ports import Levels
    from scenewatch.store.progress import Progress

log = logging.getLogger(__name__)

FIRST_AFTER_MS = minutes(10)
"""From the start to the first deletion: time to stop a worker whose settings are wrong."""
EVERY_MS = hours(1)
PLURAL = {
    Level.READING: "readings",
    Level.MINUTE: "minutes",
    Level.HOUR: "hours",
    Level.DAY: "days, alarms and events",
}


class Retention:
    """What may be gone at a time, and what the worker deletes then. `kept_days` leaves out what is kept for ever.

    `deletes`: the worker does; else the store's server does by rules of its own, which are said to be the same.
    """

    def __init__(self, levels: Levels, kept_days: Mapping[Level, int], *, deletes: bool) -> None:
        self._levels = levels
        self._kept_ms = {level: days(n) for level, n in kept_days.items() if n}
        self._deletes = deletes
        self._next_ms: int | None = None

    def expired_ms(self, level: Level, now_ms: int) -> int | None:
        """What is before may be gone. None: nothing is."""
        kept_ms = self._kept_ms.get(level)
        return None if kept_ms is None else now_ms - kept_ms

    def expired_by_others_ms(self, level: Level, now_ms: int) -> int | None:
        """The same where the server deletes; the worker waits for the summaries of what it deletes."""
        return None if self._deletes else self.expired_ms(level, now_ms)

    def step(self, progress: Progress, now_ms: int) -> None:
        """Delete what is due. Raises TemporaryError."""
        if not self._deletes or not self._kept_ms:
            return
        if self._next_ms is None:
            self._next_ms = now_ms + FIRST_AFTER_MS
            self._announce(now_ms)
        if now_ms < self._next_ms:
            return
        before_ms = {level: self._limit(level, progress, now_ms - ms) for level, ms in self._kept_ms.items()}
        rows = self._levels.forget(before_ms)
        self._next_ms = now_ms + EVERY_MS
        if rows:
            log.info("%d rows were older than the settings keep, and are deleted", rows)

    def _limit(self, level: Level, progress: Progress, before_ms: int) -> int:
        """Nothing goes before what is made of it."""
        return before_ms if level is Level.DAY else min(before_ms, progress.until_ms(Level(level + 1)))

    def _announce(self, now_ms: int) -> None:
        told = [
            f"{PLURAL[level]} older than {ms // days(1)} d (now: before {utc_minute(now_ms - ms)})"
            for level, ms in sorted(self._kept_ms.items())
        ]
        first = utc_minute(now_ms + FIRST_AFTER_MS)
        log.info("deleted once an hour from %s on, as [keep] says: %s", first, "; ".join(told))
