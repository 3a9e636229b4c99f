"""A school kitchen's day as data: how often doors open, for how long, and how warm the work makes the room."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

CHINA: Final = timezone(timedelta(hours=8))
"""No daylight saving time."""
FIRST_WEEKEND_DAY: Final = 5


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
WEEKEND: Final = (
    Shift(from_hour=0, to_hour=8, fridge_openings=0, freezer_openings=0, open_s=10, cooking_k=0),
    Shift(from_hour=8, to_hour=18, fridge_openings=0.5, freezer_openings=0.2, open_s=12, cooking_k=0),
    Shift(from_hour=18, to_hour=24, fridge_openings=0, freezer_openings=0, open_s=10, cooking_k=0),
)


def local_time(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(CHINA)


def shift_at(local: datetime) -> Shift:
    plan = WEEKEND if local.weekday() >= FIRST_WEEKEND_DAY else SCHOOL_DAY
    return next(s for s in plan if s.from_hour <= local.hour < s.to_hour)
