"""What insight keeps in arrays: how a channel is derived, how far each series has come, what goes in and out."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEVER = -(2**62)
SHARE, MEAN, LASTING, DEPARTURE, USUAL, LAST_RUN, SLOPE, TIME_TO = range(8)
IS_VALUE, IS_TERM = 1, 2
"""Roles of a channel in a derived one; it may have both."""
HOURS = 24
HOURS_A_PART = 4
PARTS = 42
"""Into which a week is cut, in UTC; they fit the days of most of Asia."""
NO_TEST = -1

LINK = np.dtype([("operation", np.int32), ("role", np.int32)], align=True)
"""A derived channel that reads a channel of this kind; `operation` counts from the device's first."""

OPERATION = np.dtype(
    [
        ("form", np.int32),
        ("test", np.int32),
        ("low", np.float64),
        ("high", np.float64),
        ("every", np.int64),
        ("bucket", np.int64),
        ("buckets", np.int64),
        ("gap", np.int64),
        ("known", np.int64),
        ("smoothing", np.float64),
        ("pattern", np.float64),
        ("spread", np.float64),
        ("wary", np.float64),
        ("learning", np.int64),
        ("departure", np.int64),
        ("limit", np.float64),
        ("towards", np.float64),
        ("horizon", np.float64),
        ("sure", np.float64),
    ],
    align=True,
)
"""A term holds below `low`, above `high`, or where `test` set the flag. Of a departure times are in hours.

`departure`: of what is usual the channel that learns it, counted from the device's first. `towards`: 1 where a
limit is passed upwards, -1 where downwards. `horizon` is in minutes.
"""

STATE = np.dtype(
    [
        ("operation", np.int32),
        ("series", np.int32),
        ("ring", np.int32),
        ("learnt", np.int32),
        ("first_t", np.int64),
        ("told", np.int64),
        ("until", np.int64),
        ("seen_t", np.int64),
        ("changed_t", np.int64),
        ("spoke_t", np.int64),
        ("since", np.int64),
        ("of_t", np.int64),
        ("of_value", np.float64),
        ("sum", np.float64),
        ("spread", np.float64),
        ("smooth", np.float64),
        ("count", np.int64),
        ("hour", np.int64),
        ("bucket", np.int64),
        ("bucket_end", np.int64),
        ("holds", np.int32),
        ("held", np.int32),
    ],
    align=True,
)
"""A row a derived series. `ring` is its first bucket or pattern; `held` what the term said before `changed_t`.

Nothing is to be told before a reading at or behind `until`; `bucket` is the one in use, up to `bucket_end`.

Of a departure `first_t`, `told`, `since` and `hour` are hours: of the first mean, of the last that was judged, the
boundary at which it is told, and the one at hand.
"""

BUCKET = np.dtype([("number", np.int64), ("part", np.float64), ("whole", np.float64), ("count", np.int64)])
"""Of a line `part` sums values and `whole` times since the bucket's begin, both of `count` readings."""


class Tables(NamedTuple):
    """What is derived of what, and how far it has come."""

    first_link: NDArray[np.int32]
    """By kind of series, and one more."""
    links: NDArray[np.void]
    operations: NDArray[np.void]
    kind: NDArray[np.int32]
    base: NDArray[np.int32]
    """Of each series its device's first row of `state`."""
    state: NDArray[np.void]
    buckets: NDArray[np.void]
    pattern: NDArray[np.float64]
    """(departures, HOURS + PARTS): what is usual at an hour of the day, and what a part of the week adds to it."""
    learning: NDArray[np.float64]
    """(departures, hours of learning): hourly means, NaN where there were none."""
    room: NDArray[np.float64]
    """To sort them in."""


class Told(NamedTuple):
    """Derived readings: which of the batch's readings led to each, then its columns."""

    cause: NDArray[np.int64]
    series: NDArray[np.int32]
    t_ms: NDArray[np.int64]
    value: NDArray[np.float64]
