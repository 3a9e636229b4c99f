"""Tells the log of what does not work for now: when it begins, when the reason changes, when it is over."""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from scenewatch.model.words import minutes

if TYPE_CHECKING:
    from scenewatch.model.ports import Clock

log = logging.getLogger(__name__)

MOST_LINES = 5
WITHIN = minutes(5)


class Lines(NamedTuple):
    """What is told; the first two end with the reason."""

    begins: str
    changes: str
    is_over: str


BATCHES = Lines(
    "the store does not take batches, they wait: %s",
    "the store still takes no batches, now: %s",
    "the store takes batches again",
)


class Outage:
    """A store that comes and goes, or has another reason each time, gets few lines: `MOST_LINES` `WITHIN` a span.

    `reason` is empty while all is well.
    """

    def __init__(self, clock: Clock, lines: Lines = BATCHES) -> None:
        self._clock = clock
        self._lines = lines
        self._warned_at_ms: deque[int] = deque(maxlen=MOST_LINES)
        self._told = ""
        self.reason = ""

    def goes_on(self, reason: str) -> None:
        self.reason = reason
        if reason == self._told or not self._may_warn():
            return
        self._warned_at_ms.append(self._clock.now_ms())
        log.warning(self._lines.changes if self._told else self._lines.begins, reason)
        self._told = reason

    def is_over(self) -> None:
        if self._told:
            log.info(self._lines.is_over)
        self.reason = self._told = ""

    def _may_warn(self) -> bool:
        warned = self._warned_at_ms
        return len(warned) < MOST_LINES or self._clock.now_ms() - warned[0] >= WITHIN
