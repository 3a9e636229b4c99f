"""Levels of the record: every reading, and what is kept of whole minutes, hours and days."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Level(IntEnum):
    """How coarse a part of the record is. The numbers are stored: add, never renumber."""

    READING = 0
    MINUTE = 1
    HOUR = 2
    DAY = 3

    @property
    def span_ms(self) -> int:
        """Length of a window; a reading has none."""
        return SPANS_MS[self]

    @property
    def suffix(self) -> str:
        """Of the bucket or database that holds it; empty for readings."""
        return SUFFIXES[self]

    @property
    def below(self) -> Level:
        """What a window is made of. Raises ValueError for readings."""
        return Level(self - 1)


SPANS_MS = (0, 60_000, 3_600_000, 86_400_000)
SUFFIXES = ("", "_1m", "_1h", "_1d")


@dataclass(frozen=True, slots=True)
class Summaries:
    """Windows of one series, ascending. `truncated`: there were more than asked for."""

    t_ms: NDArray[np.int64]
    """Where each window begins."""
    low: NDArray[np.float64]
    """The lowest and the highest of all readings, also of those that failed: no peak is ever hidden."""
    high: NDArray[np.float64]
    mean: NDArray[np.float64]
    """Of the readings that did not fail; NaN where all did."""
    count: NDArray[np.int64]
    """All readings."""
    good: NDArray[np.int64]
    """Those that did not fail."""
    flag: NDArray[np.uint8]
    """The worst."""
    truncated: bool
