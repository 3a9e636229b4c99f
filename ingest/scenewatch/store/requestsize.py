"""How many readings go into one request: as many as the server has been seen to take."""

from __future__ import annotations

MOST = 20_000
"""About 5,000 lines of devices with a few channels each."""
LEAST = 100
"""Smaller ones are tried, but not remembered: below it a request costs more than its readings."""


class RequestSize:
    """Halved when the server gives no answer, doubled when it does; never above what it called too large."""

    def __init__(self) -> None:
        self.readings = MOST
        self._bound = MOST

    def was_taken(self) -> None:
        self.readings = min(self._bound, 2 * self.readings)

    def was_too_large(self, readings: int) -> None:
        self.readings = self._bound = max(LEAST, min(self._bound, readings // 2))

    def got_no_answer(self) -> None:
        self.readings = max(LEAST, self.readings // 2)
