"""Which days are school days: terms, weekends, public holidays and the working days that make up for them.

Public holidays of 2025 and 2026 are the State Council's (its notices of November 2024 and November 2025). Those of
2027 are the statutory days alone, because the table was written before its notice: put the bridges and make-up days
in when it is out. Later years must be added; until then they have no public holidays. Terms are of the usual shape
in Zhejiang; a district's own dates take their place.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import chain
from typing import Final


class DayKind(StrEnum):
    """What a kitchen is there for on a day."""

    SCHOOL = "school"
    """Meals are cooked: Monday to Friday in term, and working days that make up for a holiday."""
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    VACATION = "vacation"


Days = tuple[date, date]
"""First and last."""

TERMS: Final[tuple[Days, ...]] = (
    (date(2024, 9, 2), date(2025, 1, 17)),
    (date(2025, 2, 17), date(2025, 7, 1)),
    (date(2025, 9, 1), date(2026, 2, 6)),
    (date(2026, 3, 2), date(2026, 7, 3)),
    (date(2026, 9, 1), date(2027, 1, 22)),
    (date(2027, 2, 22), date(2027, 7, 2)),
    (date(2027, 9, 1), date(2028, 1, 14)),
)
HOLIDAYS: Final[tuple[Days, ...]] = (
    (date(2025, 1, 1), date(2025, 1, 1)),
    (date(2025, 1, 28), date(2025, 2, 4)),
    (date(2025, 4, 4), date(2025, 4, 6)),
    (date(2025, 5, 1), date(2025, 5, 5)),
    (date(2025, 5, 31), date(2025, 6, 2)),
    (date(2025, 10, 1), date(2025, 10, 8)),
    (date(2026, 1, 1), date(2026, 1, 3)),
    (date(2026, 2, 15), date(2026, 2, 23)),
    (date(2026, 4, 4), date(2026, 4, 6)),
    (date(2026, 5, 1), date(2026, 5, 5)),
    (date(2026, 6, 19), date(2026, 6, 21)),
    (date(2026, 9, 25), date(2026, 9, 27)),
    (date(2026, 10, 1), date(2026, 10, 7)),
    # Statutory days alone from here on.
    (date(2027, 1, 1), date(2027, 1, 1)),
    (date(2027, 2, 5), date(2027, 2, 8)),
    (date(2027, 4, 5), date(2027, 4, 5)),
    (date(2027, 5, 1), date(2027, 5, 2)),
    (date(2027, 6, 9), date(2027, 6, 9)),
    (date(2027, 9, 15), date(2027, 9, 15)),
    (date(2027, 10, 1), date(2027, 10, 3)),
)
MAKE_UP_DAYS: Final = frozenset(
    {
        date(2025, 1, 26),
        date(2025, 2, 8),
        date(2025, 4, 27),
        date(2025, 9, 28),
        date(2025, 10, 11),
        date(2026, 1, 4),
        date(2026, 2, 14),
        date(2026, 2, 28),
        date(2026, 5, 9),
        date(2026, 9, 20),
        date(2026, 10, 10),
    }
)
"""Saturdays and Sundays that are worked; in term, with school."""
FREE_DAYS: Final = frozenset(
    chain.from_iterable((first + timedelta(n) for n in range((last - first).days + 1)) for first, last in HOLIDAYS)
)
USUAL_TERMS: Final = (((2, 20), (7, 1)), ((9, 1), (12, 31)))
"""Of years that no term is known of: month and day of first and last day. What is left of January is too little."""
FIRST_WEEKEND_DAY: Final = 5
COUNTED_FROM: Final = 2020
"""The year with which `school_days_before` begins."""


@lru_cache(maxsize=4096)
def kind_of_day(day: date) -> DayKind:
    if day in FREE_DAYS:
        return DayKind.HOLIDAY
    if not _in_term(day):
        return DayKind.VACATION
    if day.weekday() >= FIRST_WEEKEND_DAY and day not in MAKE_UP_DAYS:
        return DayKind.WEEKEND
    return DayKind.SCHOOL


def _in_term(day: date) -> bool:
    if TERMS[0][0] <= day <= TERMS[-1][1]:
        number = bisect_right([first for first, _ in TERMS], day) - 1
        return day <= TERMS[number][1]
    return any(first <= (day.month, day.day) <= last for first, last in USUAL_TERMS)


@lru_cache(maxsize=1024)
def school_days_before(day: date) -> int:
    """Since New Year of COUNTED_FROM; none before it."""
    if day.year < COUNTED_FROM:
        return 0
    years = sum(_school_days(date(year, 1, 1), date(year + 1, 1, 1)) for year in range(COUNTED_FROM, day.year))
    return years + _school_days(date(day.year, 1, 1), day)


@lru_cache(maxsize=1024)
def _school_days(first: date, behind: date) -> int:
    return sum(kind_of_day(first + timedelta(n)) is DayKind.SCHOOL for n in range((behind - first).days))
