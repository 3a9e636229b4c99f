"""The day as data: every hour has its shift, local time is Luqiao's, rooms follow season and hour."""

from datetime import UTC, datetime

import pytest

from scenewatch.scenes.kitchen.chance import LONGEST_S, MOST_OPENINGS
from scenewatch.scenes.kitchen.day import SCHOOL_DAY, CLOSED_DAY, local_time, shift_at
from scenewatch.scenes.kitchen.surroundings import room_without_chance


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
