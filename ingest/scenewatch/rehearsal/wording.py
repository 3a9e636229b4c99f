"""Numbers, shares, spans and times of a run's page, in words."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from scenewatch.rehearsal.report import Named

if TYPE_CHECKING:
    from collections.abc import Sequence

NOTHING: Final = "–"
UNITS_S: Final = ((86_400, " d", "天"), (3_600, " h", "小时"), (60, " min", "分"), (1, " s", "秒"))


def share(value: float | None) -> str:
    """Of a whole, in per cent; never rounded up to all or down to nothing."""
    if value is None:
        return NOTHING
    shown = f"{100 * value:.1f}"
    if shown == "100.0" and value < 1:
        return "99.9+ %"
    if shown == "0.0" and value > 0:
        return "<0.1 %"
    return f"{shown.removesuffix('.0')} %"


def number(value: float | None) -> str:
    """With three figures that count, thousands apart."""
    if value is None:
        return NOTHING
    if value == int(value):
        return f"{int(value):,}".replace("-", "−")
    return (f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}").replace("-", "−")


def span(span_s: float | None) -> Named:
    """The two largest units."""
    if span_s is None:
        return Named(NOTHING, NOTHING)
    left = abs(span_s)
    if left < 10:
        return Named(f"{left:.3g} s", f"{left:.3g} 秒")
    left = round(left)
    parts: list[tuple[str, str]] = []
    for size, en, zh in UNITS_S:
        if left >= size and len(parts) < 2:
            parts.append((f"{left // size}{en}", f"{left // size} {zh}"))
            left %= size
        elif parts:
            break
    return Named(" ".join(en for en, _ in parts), " ".join(zh for _, zh in parts))


HOUR_S: Final = 3_600
DAY_S: Final = 86_400
TICKS_S: Final = (
    *(60, 300, 900, HOUR_S, 3 * HOUR_S, 6 * HOUR_S, 12 * HOUR_S),
    *(DAY_S, 2 * DAY_S, 7 * DAY_S, 28 * DAY_S, 91 * DAY_S, 364 * DAY_S),
)


class Times:
    """In one zone; UTC where it is not known."""

    def __init__(self, zone: str) -> None:
        self._zone = _zone(zone)
        self.name = zone if self._zone is not UTC else "UTC"

    def minute(self, at_ms: int) -> str:
        return f"{self._at(at_ms):%Y-%m-%d %H:%M}"

    def ticks(self, from_ms: int, to_ms: int, at_most: int) -> Sequence[tuple[int, str]]:
        """Round times within, and what to write at each."""
        for step_s in TICKS_S:
            if (to_ms - from_ms) / 1000 / step_s <= at_most:
                break
        shift_ms = int((self._at(from_ms).utcoffset() or UTC.utcoffset(None)).total_seconds() * 1000)
        step_ms = step_s * 1000
        first_ms = -(-(from_ms + shift_ms) // step_ms) * step_ms - shift_ms
        form = "%Y-%m-%d" if step_s > 7 * DAY_S else "%m-%d"
        return [(at, self._tick(at, form)) for at in range(first_ms, to_ms, step_ms)]

    def _tick(self, at_ms: int, form: str) -> str:
        """A day where it begins, or where a day is no more than a tick."""
        at = self._at(at_ms)
        hour = f"{at:%H:%M}"
        return f"{at:{form}}" if hour == "00:00" or len(form) > len("%m-%d") else hour

    def _at(self, at_ms: int) -> datetime:
        return datetime.fromtimestamp(at_ms / 1000, self._zone)


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a folder of zones is a name too
        return UTC
