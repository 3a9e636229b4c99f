"""Quality flags, after QARTOD, and the names of the tests that set them."""

from __future__ import annotations

from enum import IntEnum


class Flag(IntEnum):
    """QARTOD's five (IOC 54:V3). A failed reading moves no alarm but "no good data"; a suspect one counts."""

    GOOD = 1
    NOT_EVALUATED = 2
    SUSPECT = 3
    FAIL = 4
    MISSING = 9


class Test(IntEnum):
    """Which test set the flag. The numbers are stored: add, never renumber."""

    NONE = 0
    CLOCK = 1
    """Device time was ahead of the allowed skew or before 2000: the reading carries its receive time."""
    POSSIBLE = 2
    EXPECTED = 3
    FASTEST = 4
    STUCK = 5
    GAP = 6
    """Good, but the first one after a silence; how fast it changed was not evaluated."""


class Place(IntEnum):
    """Where a reading stands in its series, as far as the pipeline remembers."""

    NEW = 0
    """Newer than all before: moves quality and alarm state."""
    LATE = 1
    """Older than the newest: stored in its place, moves nothing live."""
    DUPLICATE = 2
    """The series has a reading at this very time: the first one won, this one is counted and left out."""
