"""When to read next, and when to try the broker again. Both are told the time, in seconds of any steady clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

QUIET_S = 0.005
WORTH_A_READ = 500
SHORTEST_S, LONGEST_S = 0.020, 0.100
SILENCE_S = 0.250
BACKLOG_BYTES = 131_072

FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 30.0
STABLE_S = 10.0


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


class Backoff:
    """Doubling delays with jitter.

    Only a connection that lasted resets them: a broker that takes every connection and closes it again is not
    hammered.
    """

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._delay_s = FIRST_DELAY_S

    def next_s(self, *, served_s: float) -> float:
        """How long to wait after a connection that was of use for `served_s`."""
        if served_s >= STABLE_S:
            self._delay_s = FIRST_DELAY_S
        delay = self._delay_s
        self._delay_s = min(2 * delay, LONGEST_DELAY_S)
        return delay * self._rng.uniform(0.5, 1.0)
