"""When to read next, and when to try the broker again. Both are told the time, in seconds of any steady clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

BUSY_S = 0.040
QUIET_S = 0.005
BUSY_MESSAGES = 4
BACKLOG_BYTES = 131_072

FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 30.0
STABLE_S = 10.0


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
