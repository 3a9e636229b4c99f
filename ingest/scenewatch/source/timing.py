"""When to read next; told the time, in seconds of any steady clock."""

from __future__ import annotations

BUSY_S = 0.040
QUIET_S = 0.005
BUSY_MESSAGES = 4
BACKLOG_BYTES = 131_072


class Pace:
    """Lets messages gather between two reads, since all a read sets off costs as much as a hundred messages.

    The first message after a silence is read at once, those behind it 5 ms later, a steady stream each 40 ms;
    a backlog without any pause.
    """

    def __init__(self) -> None:
        self._due = 0.0

    def wait_s(self, now: float) -> float:
        """How long the bytes that are there should be left to gather; not more than 0 means read."""
        return self._due - now

    def read(self, now: float, *, messages: int, size: int) -> None:
        """A read brought `messages` in `size` bytes."""
        if size >= BACKLOG_BYTES:
            self._due = now
        else:
            self._due = now + (BUSY_S if messages >= BUSY_MESSAGES else QUIET_S)
