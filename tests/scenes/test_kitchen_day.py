"""The day as data: shifts and hours of work, local time as Luqiao's, rooms that follow season and hour."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenewatch.scenes.kitchen.chance import LONGEST_S, MOST_OPENINGS
from scenewatch.scenes.kitchen.day import (
    CLOSED_DAY,
    MOST_LATE_MIN,
    SCHOOL_DAY,
    TIMETABLE,
    Occasion,
    local_time,
    minutes_late,
    shift_at,
    spans,
)
from scenewatch.scenes.kitchen.surroundings import Surroundings, room_without_chance


@pytest.mark.parametrize("plan", [SCHOOL_DAY, CLOSED_DAY], ids=["school day", "closed day"])
def test_each_hour_belongs_to_one_shift(plan):
    hours = [h for shift in plan for h in range(shift.from_hour, shift.to_hour)]
    assert hours == list(range(24))


@pytest.mark.parametrize("plan", [SCHOOL_DAY, CLOSED_DAY], ids=["school day", "closed day"])
def test_what_people_do_in_an_hour_fits_into_it(plan):
    for shift in plan:
        assert max(shift.fridge_openings, shift.freezer_openings) * 1.5 < MOST_OPENINGS
        assert shift.open_s < LONGEST_S / 3


def test_a_busy_monday_and_a_quiet_saturday():
    monday = datetime(2026, 3, 2, 2, 30, tzinfo=UTC)
    assert local_time(int(monday.timestamp() * 1000)).hour == 10
    assert shift_at(local_time(int(monday.timestamp() * 1000))).fridge_openings > 20
    assert shift_at(datetime(2026, 3, 7, 10, tzinfo=UTC)).fridge_openings < 1


def test_the_week_begins_by_local_time():
    sunday_in_greenwich = datetime(2026, 3, 1, 23, tzinfo=UTC)
    assert shift_at(local_time(int(sunday_in_greenwich.timestamp() * 1000))) in SCHOOL_DAY


def test_rooms_are_warmest_on_summer_afternoons():
    def room(month, hour):
        return room_without_chance(datetime(2026, month, 20, hour, tzinfo=UTC))

    assert room(7, 15) > room(7, 3) > room(1, 15) > room(1, 3)
    assert 15 < room(1, 3) < room(7, 15) < 30


# --- the timetable


@pytest.mark.parametrize("occasion", Occasion)
def test_hours_of_an_occasion_ascend_within_a_day_however_late_a_site_is(occasion):
    edges = [minute for span in TIMETABLE[occasion] for minute in span]
    assert edges == sorted(set(edges))
    assert edges[-1] + MOST_LATE_MIN < 24 * 60


def test_nobody_works_while_the_lamps_burn_and_food_stands_in_cabinets_that_are_on():
    at_work = [
        span for occasion in Occasion if occasion is not Occasion.ULTRAVIOLET for span in TIMETABLE[occasion]
    ]
    (begin, end), *_ = TIMETABLE[Occasion.ULTRAVIOLET]
    assert not [span for span in at_work if span[0] < end and begin < span[1]]
    for first, last in TIMETABLE[Occasion.HOLDING]:
        assert any(on < first and last <= off for on, off in TIMETABLE[Occasion.HOT_CABINETS])


def test_sites_are_late_by_minutes_of_their_own():
    late = [minutes_late(f"kitchen.s{n:03}") for n in range(300)]
    assert set(late) == set(range(MOST_LATE_MIN + 1))
    assert minutes_late("kitchen.s007") == late[7]


def test_a_week_has_lunch_on_its_school_days(monday_ms, day_ms):
    found = spans("kitchen.s001", monday_ms - 2 * day_ms, monday_ms + 7 * day_ms, Occasion.MEAL)
    late_ms = minutes_late("kitchen.s001") * 60_000
    assert len(found) == 15
    first = monday_ms + (11 * 60 + 10) * 60_000 + late_ms
    assert (first, first + 90 * 60_000) == found[1]


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(list(Occasion)), st.integers(0, 400 * 24), st.integers(1, 90), st.integers(0, 400))
def test_spans_cut_in_two_are_the_same_minutes(occasion, hour, length_h, cut_min):
    from_ms = 1_735_660_800_000 + hour * 3_600_000
    to_ms = from_ms + length_h * 3_600_000
    cut_ms = min(to_ms, from_ms + cut_min * 60_000)
    whole = spans("kitchen.s001", from_ms, to_ms, occasion)
    parts = [
        *spans("kitchen.s001", from_ms, cut_ms, occasion),
        *spans("kitchen.s001", cut_ms, to_ms, occasion),
    ]
    assert all(a < b for a, b in parts)
    assert sum(b - a for a, b in whole) == sum(b - a for a, b in parts)
    assert all(from_ms <= a and b <= to_ms for a, b in whole)


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(list(Occasion)), st.integers(0, 700 * 24))
def test_the_simulator_keeps_the_hours_that_spans_tells(occasion, hours):
    site = "kitchen.s001"
    number = 1_735_660_800 // 3600 + hours
    hour = Surroundings([site], seed=1).hour(number)
    going_on = hour.during(occasion, hour.late_min)[0]
    told = np.zeros(120)
    for begin_ms, end_ms in spans(site, hour.at_ms, hour.at_ms + 3_600_000, occasion):
        told[(begin_ms - hour.at_ms) // 30_000 : (end_ms - hour.at_ms) // 30_000] = 1
    np.testing.assert_array_equal(going_on, told)
