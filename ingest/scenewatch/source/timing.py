"""When to read next; told the time, in seconds of any steady clock."""

from __future__ import annotations

QUIET_S = 0.005
WORTH_A_READ = 500
SHORTEST_S, LONGEST_S = 0.020, 0.100
SILENCE_S = 0.250
BACKLOG_BYTES = 131_072


class Pace:
    """Lets messages gather between two reads: what a read sets off here and behind costs as much as hundreds.

    The first message after a silence is read at once, those behind it 5 ms later, a steady stream whenever it
    has brought about `WORTH_A_READ` but each 100 ms at the latest; a backlog without any pause.
    """

    def __init__(self) -> None:
        self._due = self._read_at = 0.0

    def wait_s(self, now: float) -> float:
        """How long the bytes that are there should be left to gather; not more than 0 means read."""
        return self._due - now

    def read(self, now: float, *, messages: int, size: int) -> None:
        """A read brought `messages` in `size` bytes."""
        since_s, self._read_at = now - self._read_at, now
        if size >= BACKLOG_BYTES:
            self._due = now
        elif not messages or since_s > SILENCE_S:
            self._due = now + QUIET_S
        else:
            enough_s = WORTH_A_READ / messages * since_s
            self._due = now + min(max(enough_s, SHORTEST_S), LONGEST_S)
