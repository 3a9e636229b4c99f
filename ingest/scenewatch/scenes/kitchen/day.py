"""A school kitchen's day as data: how often doors open, how warm the work makes the room, and when what is done.

The simulated devices live by it, and whoever has to know what is usual at an hour asks it too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum
from hashlib import blake2b
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from scenewatch.model.words import hours
from scenewatch.scenes.kitchen.school_year import DayKind, kind_of_day

if TYPE_CHECKING:
    from collections.abc import Mapping

CHINA: Final = timezone(timedelta(hours=8))
"""No daylight saving time."""
AHEAD_MS: Final = 8 * 3_600_000
DAY_MS: Final = 86_400_000
MINUTE_MS: Final = 60_000
NEXT_DAY: Final = hours(25)
"""What shows in work that is done once a day stands until the next day's work has shown better."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shift:
    """What goes on in a kitchen from one full hour to another, local time."""

    from_hour: int
    to_hour: int
    fridge_openings: float
    """Per hour and cabinet."""
    freezer_openings: float
    open_s: float
    """Median length of an opening."""
    cooking_k: float
    """How far work lifts the room's temperature in the end."""
    goods_w: float = 0.0
    """Heat brought in with food that is not yet cold."""


SCHOOL_DAY: Final = (
    Shift(from_hour=0, to_hour=5, fridge_openings=0, freezer_openings=0, open_s=10, cooking_k=0),
    Shift(from_hour=5, to_hour=6, fridge_openings=10, freezer_openings=3, open_s=12, cooking_k=3),
    # Deliveries are put away.
    Shift(from_hour=6, to_hour=7, fridge_openings=16, freezer_openings=7, open_s=24, cooking_k=4, goods_w=60.0),
    Shift(from_hour=7, to_hour=9, fridge_openings=16, freezer_openings=5, open_s=13, cooking_k=4),
    # Lunch is cooked.
    Shift(from_hour=9, to_hour=11, fridge_openings=24, freezer_openings=6, open_s=14, cooking_k=7),
    Shift(from_hour=11, to_hour=13, fridge_openings=10, freezer_openings=2, open_s=12, cooking_k=5),
    # Shelves are wiped.
    Shift(from_hour=13, to_hour=14, fridge_openings=7, freezer_openings=2, open_s=26, cooking_k=1),
    Shift(from_hour=14, to_hour=16, fridge_openings=4, freezer_openings=1, open_s=12, cooking_k=1),
    # Supper for boarders.
    Shift(from_hour=16, to_hour=18, fridge_openings=15, freezer_openings=4, open_s=14, cooking_k=5),
    Shift(from_hour=18, to_hour=19, fridge_openings=5, freezer_openings=1, open_s=20, cooking_k=1),
    Shift(from_hour=19, to_hour=24, fridge_openings=0.2, freezer_openings=0.1, open_s=10, cooking_k=0),
)
CLOSED_DAY: Final = (
    Shift(from_hour=0, to_hour=8, fridge_openings=0, freezer_openings=0, open_s=10, cooking_k=0),
    Shift(from_hour=8, to_hour=18, fridge_openings=0.5, freezer_openings=0.2, open_s=12, cooking_k=0),
    Shift(from_hour=18, to_hour=24, fridge_openings=0, freezer_openings=0, open_s=10, cooking_k=0),
)


class Occasion(StrEnum):
    """What is done at its hours."""

    STAFF = "staff"
    """Somebody works in the kitchen."""
    DELIVERY = "delivery"
    COOKING = "cooking"
    HOT_CABINETS = "hot_cabinets"
    """They are switched on, empty at first."""
    HOLDING = "holding"
    """Cooked food stands in them."""
    MEAL = "meal"
    CLEANING = "cleaning"
    STERILISING = "sterilising"
    """A cycle begins with it, and ends before it does."""
    ULTRAVIOLET = "ultraviolet"
    """The lamps burn, and nobody may be in their rooms."""


def _clock(*times: str) -> tuple[tuple[int, int], ...]:
    """Minutes of the day from `HH:MM-HH:MM`."""
    spans = [[60 * int(t[:2]) + int(t[3:]) for t in span.split("-")] for span in times]
    return tuple((begin, end) for begin, end in spans)


TIMETABLE: Final[Mapping[str, tuple[tuple[int, int], ...]]] = MappingProxyType(
    {
        Occasion.STAFF: _clock("05:00-19:00"),
        Occasion.DELIVERY: _clock("06:05-06:35"),
        Occasion.COOKING: _clock("05:30-06:45", "09:00-11:00", "16:00-17:00"),
        Occasion.HOT_CABINETS: _clock("10:20-12:40", "16:20-18:10"),
        Occasion.HOLDING: _clock("10:50-12:40", "16:50-18:10"),
        Occasion.MEAL: _clock("06:50-07:30", "11:10-12:40", "17:00-18:10"),
        Occasion.CLEANING: _clock("13:00-13:40", "18:15-18:45"),
        Occasion.STERILISING: _clock("13:10-14:40", "18:20-19:50"),
        Occasion.ULTRAVIOLET: _clock("20:00-20:45"),
    }
)
"""On school days, local minutes; on all others nothing is done."""
MOST_LATE_MIN: Final = 20


def minutes_late(site: str) -> int:
    """By how much a site keeps its hours later than the timetable; fixed by its id (`scene.site`) for ever."""
    return int.from_bytes(blake2b(site.encode(), digest_size=8).digest(), "little") % (MOST_LATE_MIN + 1)


def timetable(day: date, occasion: str) -> tuple[tuple[int, int], ...]:
    """Local minutes of the day."""
    return TIMETABLE[occasion] if kind_of_day(day) is DayKind.SCHOOL else ()


def spans(site: str, from_ms: int, to_ms: int, occasion: str) -> list[tuple[int, int]]:
    """Implements `ports.Calendar`: `occasion` is the key of one that is in the timetable."""
    late_ms = minutes_late(site) * MINUTE_MS
    found = []
    for number in range((from_ms + AHEAD_MS) // DAY_MS, (to_ms - 1 + AHEAD_MS) // DAY_MS + 1):
        midnight_ms = number * DAY_MS - AHEAD_MS
        for begin, end in timetable(local_time(midnight_ms).date(), occasion):
            first = max(from_ms, midnight_ms + begin * MINUTE_MS + late_ms)
            last = min(to_ms, midnight_ms + end * MINUTE_MS + late_ms)
            if first < last:
                found.append((first, last))
    return found


def local_time(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(CHINA)


def shift_at(local: datetime) -> Shift:
    plan = SCHOOL_DAY if kind_of_day(local.date()) is DayKind.SCHOOL else CLOSED_DAY
    return next(s for s in plan if s.from_hour <= local.hour < s.to_hour)
