"""How long to wait before a broker is tried again: the same for all who connect to one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

FIRST_S = 0.5
LONGEST_S = 30.0
STABLE_S = 10.0


class Backoff:
    """Doubling delays with jitter, so that a fleet does not return as one.

    Only a connection that lasted resets them: a broker that takes every connection and closes it again is not
    hammered.
    """

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._delay_s = FIRST_S

    def next_s(self, *, served_s: float) -> float:
        """How long to wait after a connection that was of use for `served_s`."""
        if served_s >= STABLE_S:
            self._delay_s = FIRST_S
        delay_s = self._delay_s
        self._delay_s = min(2 * delay_s, LONGEST_S)
        return delay_s * self._rng.uniform(0.5, 1.0)
