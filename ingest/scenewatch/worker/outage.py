"""Tells the log of a store that does not take what it is given: begin, each change of the reason, and end."""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING

from scenewatch.model.words import minutes

if TYPE_CHECKING:
    from scenewatch.model.ports import Clock

log = logging.getLogger(__name__)

MOST_LINES = 5
WITHIN = minutes(5)


class Outage:
    """A store that comes and goes, or has another reason each time, gets few lines: `MOST_LINES` `WITHIN` a span.

    `reason` is empty while all is well.
    """

    def __init__(self, clock: Clock, what: str = "batches") -> None:
        self._clock = clock
        self._what = what
        self._warned_at_ms: deque[int] = deque(maxlen=MOST_LINES)
        self._told = ""
        self.reason = ""

    def goes_on(self, reason: str) -> None:
        self.reason = reason
        if reason == self._told or not self._may_warn():
            return
        self._warned_at_ms.append(self._clock.now_ms())
        if self._told:
            log.warning("the store still takes no %s, now: %s", self._what, reason)
        else:
            log.warning("the store does not take %s, they wait: %s", self._what, reason)
        self._told = reason

    def is_over(self) -> None:
        if self._told:
            log.info("the store takes %s again", self._what)
        self.reason = self._told = ""

    def _may_warn(self) -> bool:
        warned = self._warned_at_ms
        return len(warned) < MOST_LINES or self._clock.now_ms() - warned[0] >= WITHIN
