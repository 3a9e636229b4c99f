"""Local times as they were written, into UTC: with the hours that the clocks skipped, and those that came twice."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

if TYPE_CHECKING:
    from datetime import tzinfo

    from numpy.typing import NDArray

OFFSET: Final = re.compile(r"([+-])([0-9]{2}):?([0-9]{2})\Z")
DAY_MS: Final = 86_400_000
MINUTE_MS: Final = 60_000
PUT, SKIPPED, IN_ORDER, DOUBTFUL = range(4)
"""What became of a local time: it was clear, cannot have been, was clear by the rows' order, or is not."""


def zone_of(name: str) -> tzinfo:
    """Raises ValueError."""
    if found := OFFSET.match(name):
        minutes = int(found[2]) * 60 + int(found[3])
        return timezone(timedelta(minutes=-minutes if found[1] == "-" else minutes))
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f"no time zone {name!r}: give a name such as Asia/Shanghai, or an offset such as +08:00"
        ) from None


@dataclass(frozen=True, slots=True)
class Jump:
    """At `at_ms`, UTC, the local clock goes from offset `before_ms` to `after_ms`."""

    at_ms: int
    before_ms: int
    after_ms: int


def jumps(zone: tzinfo, from_ms: int, to_ms: int) -> list[Jump]:
    """Those in the span, to the minute. Looked for day by day: no zone goes and comes back within one."""
    found = []
    days = range(from_ms - 2 * DAY_MS, to_ms + 2 * DAY_MS, DAY_MS)
    before = _offset_ms(zone, days[0])
    for day in days:
        after = _offset_ms(zone, day)
        if after != before:
            low, high = day - DAY_MS, day
            while high - low > MINUTE_MS:
                middle = (low + high) // 2
                low, high = (middle, high) if _offset_ms(zone, middle) == before else (low, middle)
            found.append(Jump(high // MINUTE_MS * MINUTE_MS, before, after))
        before = after
    return found


def to_utc(
    local_ms: NDArray[np.int64], series: NDArray[np.int64], zone: tzinfo
) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
    """UTC in the order given, and what became of each time. `series` tells whose rows are in an order."""
    what = np.zeros(len(local_ms), np.int8)
    if not len(local_ms):
        return local_ms, what
    first, last = int(local_ms.min()), int(local_ms.max())
    utc = local_ms - _offset_ms(zone, first - 2 * DAY_MS)
    for jump in jumps(zone, first, last):
        begins, ends = sorted((jump.at_ms + jump.before_ms, jump.at_ms + jump.after_ms))
        np.copyto(utc, local_ms - jump.after_ms, where=local_ms >= ends)
        within = np.flatnonzero((local_ms >= begins) & (local_ms < ends))
        if jump.after_ms > jump.before_ms:
            what[within] = SKIPPED
            continue
        utc[within] = local_ms[within] - jump.before_ms
        for number in np.unique(series[within]):
            which = within[series[within] == number]
            second = _second_pass(local_ms, which, _ascends(local_ms[series == number]))
            what[which] = DOUBTFUL if second is None else IN_ORDER
            if second is not None:
                utc[second] = local_ms[second] - jump.after_ms
    return utc, what


def _offset_ms(zone: tzinfo, at_ms: int) -> int:
    offset = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone).utcoffset() or timedelta(0)
    return round(offset.total_seconds() * 1000)


def _ascends(local_ms: NDArray[np.int64]) -> bool:
    steps = np.sign(np.diff(local_ms))
    return bool(steps.sum() >= 0)


def _second_pass(local_ms: NDArray[np.int64], which: NDArray[np.intp], ascends: bool) -> NDArray[np.intp] | None:  # noqa: FBT001 - one caller, beside it
    """Of the rows within an hour that came twice, those of its second time; None where the order does not tell.

    In rows that ascend the clock goes back once, in rows that descend it goes forth once.
    """
    steps = np.diff(local_ms[which])
    turns = np.flatnonzero(steps <= 0 if ascends else steps >= 0)
    if len(turns) != 1:
        return None
    cut = int(turns[0]) + 1
    return which[cut:] if ascends else which[:cut]
