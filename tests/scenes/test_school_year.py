"""The calendar: of what kind each day is, make-up days and vacations too, and how school days are counted."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenewatch.scenes.kitchen.school_year import (
    COUNTED_FROM,
    FREE_DAYS,
    HOLIDAYS,
    MAKE_UP_DAYS,
    TERMS,
    DayKind,
    kind_of_day,
    school_days_before,
)

DATES = st.dates(date(1990, 1, 1), date(2060, 12, 31))


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        (date(2026, 3, 2), DayKind.SCHOOL),
        (date(2026, 3, 7), DayKind.WEEKEND),
        (date(2026, 4, 6), DayKind.HOLIDAY),
        (date(2026, 5, 4), DayKind.HOLIDAY),
        (date(2026, 5, 9), DayKind.SCHOOL),
        (date(2026, 2, 17), DayKind.HOLIDAY),
        (date(2026, 2, 28), DayKind.VACATION),
        (date(2026, 7, 20), DayKind.VACATION),
        (date(2025, 9, 28), DayKind.SCHOOL),
        (date(2025, 10, 8), DayKind.HOLIDAY),
        (date(2027, 6, 9), DayKind.HOLIDAY),
        (date(2031, 10, 8), DayKind.SCHOOL),
        (date(2031, 8, 8), DayKind.VACATION),
        (date(1970, 1, 1), DayKind.VACATION),
    ],
)
def test_a_day_is_of_its_kind(day, kind):
    assert kind_of_day(day) is kind


def test_make_up_days_are_weekend_days_near_a_holiday_and_no_holidays():
    for day in MAKE_UP_DAYS:
        assert day.weekday() >= 5
        assert day not in FREE_DAYS
        assert any(first - timedelta(14) <= day <= last + timedelta(14) for first, last in HOLIDAYS), day


def test_the_state_gives_as_many_working_days_back_as_it_takes():
    """Of each year that was announced: free weekdays are statutory days or made up for."""
    for year, statutory in ((2025, 13), (2026, 13)):
        free = [d for d in FREE_DAYS if d.year == year]
        weekdays = sum(d.weekday() < 5 for d in free)
        made_up = sum(d.year == year for d in MAKE_UP_DAYS)
        assert weekdays - made_up <= statutory
        assert len(free) in range(28, 34)


@pytest.mark.parametrize("table", [TERMS, HOLIDAYS], ids=["terms", "holidays"])
def test_spans_of_days_ascend_and_are_apart(table):
    edges = [day for first, last in table for day in (first, last + timedelta(1))]
    assert edges == sorted(edges)


@pytest.mark.parametrize("year", [2025, 2026, 2027, 2031])
def test_a_year_has_about_as_many_school_days_as_schools_have(year):
    count = school_days_before(date(year + 1, 1, 1)) - school_days_before(date(year, 1, 1))
    assert 170 <= count <= 200


@settings(deadline=None, max_examples=100)
@given(DATES)
def test_each_day_adds_to_the_count_what_it_is(day):
    added = school_days_before(day + timedelta(1)) - school_days_before(day)
    counted = day.year >= COUNTED_FROM and kind_of_day(day) is DayKind.SCHOOL
    assert added == counted
