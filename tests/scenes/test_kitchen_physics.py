"""The kitchen's physics: what must hold for any chance, and what each fault does to the channels."""

from itertools import pairwise

import numpy as np
import pytest

from scenewatch.scenes.kitchen import KITCHEN, kernel
from scenewatch.scenes.kitchen.physics import Kitchen

STEPS_A_DAY = 2880


def run(devices, from_ms, to_ms, *, seed=1, **drives):
    kitchen = Kitchen(devices, seed=seed, start_ms=from_ms)
    values = kitchen.run(to_ms, drives)
    return values.reshape(len(values), -1, kernel.CHANNELS)


def held(devices, steps, device, to):
    driven = np.full((steps, len(devices)), np.nan)
    driven[:, device] = to
    return driven


@pytest.fixture(scope="module")
def day(two_kitchens, monday_ms, day_ms):
    return run(two_kitchens, monday_ms, monday_ms + day_ms)


def test_a_site_has_the_same_values_alone_and_among_others(two_kitchens, monday_ms, day_ms, day):
    alone = run(two_kitchens[6:], monday_ms, monday_ms + day_ms)
    np.testing.assert_array_equal(alone, day[:, 5:])


def test_single_steps_equal_a_block(two_kitchens, monday_ms, day):
    kitchen = Kitchen(two_kitchens, seed=1, start_ms=monday_ms)
    for step in range(150):
        values = kitchen.step(monday_ms + (step + 1) * 30_000, {})
        np.testing.assert_array_equal(values, day[step].ravel())


def test_a_later_start_within_six_hours_meets_the_same_values(two_kitchens, monday_ms, day):
    hour = 3_600_000
    later = run(two_kitchens, monday_ms + hour, monday_ms + 4 * hour)
    np.testing.assert_array_equal(later, day[120:480])


def test_much_later_starts_see_the_same_people(two_kitchens, monday_ms, day_ms, day):
    later = run(two_kitchens, monday_ms + day_ms // 2, monday_ms + day_ms)
    np.testing.assert_array_equal(later[:, :, kernel.DOOR], day[STEPS_A_DAY // 2 :, :, kernel.DOOR])


def test_another_seed_is_another_day(two_kitchens, monday_ms, day_ms, day):
    other = run(two_kitchens, monday_ms, monday_ms + day_ms, seed=2)
    assert (other[:, :, kernel.DOOR] != day[:, :, kernel.DOOR]).any()
    assert not np.allclose(other.mean(axis=0), day.mean(axis=0), atol=0.01)


def test_time_does_not_go_back(two_kitchens, monday_ms):
    kitchen = Kitchen(two_kitchens, seed=1, start_ms=monday_ms)
    with pytest.raises(ValueError, match="cannot go back"):
        kitchen.run(monday_ms - 30_000, {})


def test_a_step_is_one_interval(two_kitchens, monday_ms):
    kitchen = Kitchen(two_kitchens, seed=1, start_ms=monday_ms)
    with pytest.raises(ValueError, match="2 steps on"):
        kitchen.step(monday_ms + 60_000, {})


def test_a_site_without_cabinets_has_no_values(two_kitchens, monday_ms):
    kitchen = Kitchen(two_kitchens[:1], seed=1, start_ms=monday_ms)
    assert kitchen.run(monday_ms + 60_000, {}).shape == (2, 0)


def test_the_compressor_rests_in_defrost_and_long_enough_between_runs(day):
    running = day[:, :, kernel.POWER] > 0
    assert not (running & (day[:, :, kernel.DEFROST] > 0)).any()
    for column in range(running.shape[1]):
        edges = np.flatnonzero(np.diff(running[:, column].astype(int)))
        stops = [(a, b) for a, b in pairwise(edges) if not running[b, column]]
        assert min(b - a for a, b in stops) >= 5, "160 s are five steps"


def test_cabinets_defrost_three_times_a_day_and_not_for_long(day, longest_run):
    defrosting = day[:, :, kernel.DEFROST] > 0
    begins = (np.diff(defrosting.astype(int), axis=0) == 1).sum(axis=0)
    assert set(begins) <= {2, 3}  # one may be on at midnight
    assert longest_run(defrosting) * kernel.STEP_S <= 750


def test_a_compressor_takes_most_just_after_its_start(day):
    power = day[:, 0, kernel.POWER]
    starts = np.flatnonzero((power[:-1] == 0) & (power[1:] > 0)) + 1
    later = starts + 4
    still_on = power[later[later < len(power)]] > 0
    first, fourth = power[starts[: len(still_on)]][still_on], power[later[later < len(power)]][still_on]
    assert len(first) > 20
    assert first.mean() > 1.2 * fourth.mean()


def test_doors_are_busy_before_lunch_and_still_at_night_and_on_sundays(two_kitchens, monday_ms, day_ms, day):
    def openness(values, from_hour, to_hour):
        return values[from_hour * 120 : to_hour * 120, :, kernel.DOOR].mean()

    sunday = run(two_kitchens, monday_ms - day_ms, monday_ms)
    assert openness(day, 9, 11) > 0.05
    assert openness(day, 0, 5) == 0
    assert openness(sunday, 0, 24) < 0.01


def test_a_battery_falls_over_a_year(two_kitchens, monday_ms, day_ms):
    def battery(at_ms):
        return run(two_kitchens, at_ms, at_ms + 3_600_000)[:, :, kernel.BATTERY].mean(axis=0)

    fallen = battery(monday_ms) - battery(monday_ms + 200 * day_ms)
    not_replaced = fallen > 0
    assert not_replaced.sum() >= 5
    np.testing.assert_allclose(fallen[not_replaced], 0.073, atol=0.01)


# --- faults against a twin without them


def test_before_a_fault_and_beside_it_nothing_differs_from_the_twin(two_kitchens, monday_ms, day_ms, day):
    driven = held(two_kitchens, STEPS_A_DAY, 1, np.nan)
    driven[1000:, 1] = 0.0
    faulty = run(two_kitchens, monday_ms, monday_ms + day_ms, compressor=driven)
    np.testing.assert_array_equal(faulty[:1000], day[:1000])
    np.testing.assert_array_equal(faulty[:, 1:], day[:, 1:])
    assert (faulty[1000:, 0] != day[1000:, 0]).any()


def test_an_input_that_is_free_changes_nothing(two_kitchens, monday_ms, day_ms, day):
    free = np.full((STEPS_A_DAY, len(two_kitchens)), np.nan)
    driven = run(two_kitchens, monday_ms, monday_ms + day_ms, compressor=free, door=free)
    np.testing.assert_array_equal(driven, day)


@pytest.mark.parametrize(("device", "cabinet", "limit"), [(1, 0, 8.0), (4, 3, -12.0)], ids=["fridge", "freezer"])
def test_a_dead_compressor_takes_no_power_and_lets_the_cabinet_warm(
    device, cabinet, limit, two_kitchens, monday_ms, day_ms, day
):
    driven = held(two_kitchens, 3 * STEPS_A_DAY, device, 0.0)
    faulty = run(two_kitchens, monday_ms, monday_ms + 3 * day_ms, compressor=driven)[:, cabinet]
    fault = KITCHEN.fault("compressor_dead")
    deadline = fault.deadline // 30_000
    assert (faulty[:, kernel.POWER] == 0).all()
    assert (faulty[deadline:STEPS_A_DAY, kernel.AIR_TEMP] > limit).all()
    assert faulty[-1, kernel.AIR_TEMP] > 10.0
    assert faulty[:, kernel.AIR_TEMP].max() < 38.0, "a warm room and the fan's own heat"
    np.testing.assert_array_equal(faulty[:STEPS_A_DAY, kernel.DOOR], day[:, cabinet, kernel.DOOR])


@pytest.mark.parametrize(("device", "cabinet"), [(1, 0), (4, 3)], ids=["fridge", "freezer"])
def test_a_door_ajar_shows_on_the_contact_and_costs_power(device, cabinet, two_kitchens, monday_ms, day_ms, day):
    ajar = KITCHEN.fault("door_ajar").sizes.ordinary
    faulty = run(two_kitchens, monday_ms, monday_ms + day_ms, door=held(two_kitchens, STEPS_A_DAY, device, ajar))
    assert (faulty[:, cabinet, kernel.DOOR] == 1).all()
    assert faulty[:, cabinet, kernel.POWER].mean() > 1.5 * day[:, cabinet, kernel.POWER].mean()
    assert faulty[:, cabinet, kernel.AIR_TEMP].mean() > day[:, cabinet, kernel.AIR_TEMP].mean()


def test_a_compressor_that_cannot_stop_freezes_the_fridge(two_kitchens, monday_ms, day_ms):
    driven = held(two_kitchens, STEPS_A_DAY, 1, 1.0)
    faulty = run(two_kitchens, monday_ms, monday_ms + day_ms, compressor=driven)[:, 0]
    assert (faulty[:, kernel.POWER] > 0).all()
    assert faulty[-1, kernel.AIR_TEMP] < -2.0


def test_an_input_that_is_not_there_is_refused(two_kitchens, monday_ms):
    with pytest.raises(ValueError, match="no such input: doors; there are mains, door, compressor"):
        run(two_kitchens, monday_ms, monday_ms + 30_000, doors=held(two_kitchens, 1, 1, 0.0))
