"""What each kind of equipment does on days without faults, and laws of its physics."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kitchen_rig import Days, longest_min, runs

from scenewatch.scenes.kitchen import KITCHEN
from scenewatch.scenes.kitchen.day import Occasion, spans
from scenewatch.scenes.kitchen.demonstration import KitchenDemonstration
from scenewatch.scenes.kitchen.physics import INPUTS, Kitchen

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
DEVICES = KitchenDemonstration().devices(6)
SUMMER_MS = 1_780_848_000_000
"""Monday 8 June 2026, midnight in Luqiao."""
WINTER_MS = 1_767_542_400_000
"""Monday 5 January 2026."""
OTHERS = [t for t in KITCHEN.device_types if t.channels and t.key not in {"fridge", "freezer"}]


@pytest.fixture(scope="module")
def summer():
    return Days(DEVICES, SUMMER_MS, 7)


@pytest.fixture(scope="module")
def winter():
    return Days(DEVICES, WINTER_MS, 7)


@pytest.fixture(scope="module", params=["summer", "winter"])
def week(request):
    return request.getfixturevalue(request.param)


def during(days, device_type, occasion):
    """(steps, devices of the type): steps that begin and end within it, by the calendar of each site."""
    sites = [d.site_id for d in days.devices if d.type == device_type]
    found = np.zeros((len(days.t_ms), len(sites)), np.bool_)
    for column, site in enumerate(sites):
        for begin_ms, end_ms in spans(site, days.start_ms, int(days.t_ms[-1]), occasion):
            found[:, column] |= (days.t_ms - 30_000 >= begin_ms) & (days.t_ms <= end_ms)
    return found


# --- all kinds


@pytest.mark.parametrize("device_type", OTHERS, ids=lambda t: t.key)
def test_readings_are_possible_expected_and_alive(week, device_type):
    for channel in device_type.measured:
        values = week.of(device_type.key, channel.key)
        assert values.min() >= channel.possible.low, channel.key
        assert values.max() <= channel.possible.high, channel.key
        if channel.states:
            assert set(np.unique(values)) <= {number for number, _ in channel.states}
        if channel.expected is not None:
            outside = (values < channel.expected.low) | (values > channel.expected.high)
            assert outside.mean() < 1e-3, channel.key
        if channel.fastest_per_minute is not None:
            assert (np.abs(np.diff(values, axis=0)) * 2 > channel.fastest_per_minute).mean() < 1e-3, channel.key
        if channel.stuck_after is not None:
            assert longest_min(np.diff(values, axis=0) == 0) * 60_000 < channel.stuck_after / 2, channel.key


@settings(deadline=None, max_examples=12)
@given(st.data())
def test_values_are_the_same_whatever_the_blocks_and_the_start_within_six_hours(data):
    devices = DEVICES[:13]
    begin_ms = SUMMER_MS + 3 * HOUR_MS * data.draw(st.integers(0, 50)) // 3
    mark_ms = begin_ms // (6 * HOUR_MS) * 6 * HOUR_MS
    end_step = data.draw(st.integers(2, 1000))
    later = mark_ms + 30_000 * data.draw(st.integers(0, min(719, end_step - 1)))
    end_ms = mark_ms + 30_000 * end_step
    whole = Kitchen(devices, seed=3, start_ms=mark_ms).run(end_ms, {})
    kitchen = Kitchen(devices, seed=3, start_ms=later)
    cuts = sorted(data.draw(st.lists(st.integers(0, (end_ms - later) // 30_000), max_size=4)))
    parts = [kitchen.run(later + 30_000 * cut, {}) for cut in cuts]
    parts.append(kitchen.run(end_ms, {}))
    np.testing.assert_array_equal(np.concatenate(parts), whole[(later - mark_ms) // 30_000 :])


def test_a_site_is_the_same_alone_and_among_others(summer):
    alone = Days([d for d in DEVICES if d.site == "s003"], SUMMER_MS, 2)
    for device_type in OTHERS:
        for channel in device_type.measured:
            among = summer.of(device_type.key, channel.key)
            mine = alone.of(device_type.key, channel.key)
            width = mine.shape[1]
            np.testing.assert_array_equal(mine, among[: len(mine), 2 * width : 3 * width])


def test_inputs_that_are_free_change_nothing():
    devices = DEVICES[:13]
    free = np.full((300, len(devices)), np.nan)
    driven = Kitchen(devices, seed=1, start_ms=SUMMER_MS).run(SUMMER_MS + 9_000_000, dict.fromkeys(INPUTS, free))
    np.testing.assert_array_equal(
        driven, Kitchen(devices, seed=1, start_ms=SUMMER_MS).run(SUMMER_MS + 9_000_000, {})
    )


def test_nothing_is_cooked_in_the_vacation():
    july = Days(DEVICES, SUMMER_MS + 35 * DAY_MS, 3)
    for device_type, channel in (("hot_cabinet", "in_use"), ("uv_lamp", "lamp"), ("steriliser", "cycle")):
        assert not july.of(device_type, channel).any()
    assert not july.of("gas_detector", "fan").any()


# --- cold-dish room


def test_the_cold_dish_room_stays_cool_in_summer_but_for_minutes(summer):
    air = summer.of("cold_dish_room", "air_temp")
    assert (air > 25.0).mean() < 0.005
    assert longest_min(air > 25.0) <= 12
    assert 19 < air.mean() < 24


def test_cooking_warms_the_kitchen_and_less_the_room_and_makes_it_damp(summer):
    cooking = during(summer, "cold_dish_room", Occasion.COOKING)
    night = np.repeat((summer.minute() < 4 * 60)[:, None], cooking.shape[1], axis=1)
    air, power = summer.of("cold_dish_room", "air_temp"), summer.of("cold_dish_room", "ac_power")
    assert 0 < air[cooking].mean() - air[night].mean() < 3
    assert power[cooking].mean() > 1.5 * power[night].mean()
    fridge = summer.of("fridge", "compressor_power")
    assert fridge[cooking[:, 0]].mean() > fridge[night[:, 0]].mean()


def test_a_delivery_keeps_the_room_door_open_for_longer(summer):
    door = summer.of("cold_dish_room", "door")
    minute = summer.minute()
    hour_of_delivery = (minute >= 6 * 60) & (minute < 7 * 60)
    assert door[hour_of_delivery].mean() > 1.5 * door[(minute >= 8 * 60) & (minute < 9 * 60)].mean()


def test_the_air_conditioner_works_more_in_summer(summer, winter):
    assert summer.of("cold_dish_room", "ac_power").mean() > 3 * winter.of("cold_dish_room", "ac_power").mean()


# --- hot cabinet


def test_food_is_held_hot(week):
    holding = during(week, "hot_cabinet", Occasion.HOLDING)
    cut_min = 6
    for column, begin, end in runs(holding):
        food = week.of("hot_cabinet", "food_temp")[begin + 2 * cut_min : end, column]
        assert food.min() >= 62.0
    assert week.of("hot_cabinet", "air_temp")[holding].mean() > 70


def test_a_hot_cabinet_is_on_at_meals_alone_and_warm_in_time(week):
    in_use, air = week.of("hot_cabinet", "in_use") > 0, week.of("hot_cabinet", "air_temp")
    assert in_use.mean() < 0.2
    assert not week.of("hot_cabinet", "heater_power")[~in_use].any()
    assert longest_min(in_use & (air < 60)) < 20


# --- ultraviolet lamp


def test_lamps_burn_for_more_than_half_an_hour_in_empty_rooms(week):
    lamp = week.of("uv_lamp", "lamp") > 0
    assert {(b - a) / 2 for _, a, b in runs(lamp)} == {45.0}
    for channel in ("presence", "door"):
        assert not week.of("uv_lamp", channel)[lamp].any()
    assert week.of("uv_lamp", "presence").mean() > 0.02


def test_a_lamp_warms_up_for_minutes_and_is_strong_enough_then(week):
    lamp, given_off = week.of("uv_lamp", "lamp") > 0, week.of("uv_lamp", "irradiance")
    assert not given_off[~lamp].any()
    for column, begin, end in runs(lamp):
        burning = given_off[begin:end, column]
        assert burning[0] < 0.85 * burning[20]
        assert burning[10:].min() > 70
        assert burning.sum() * 30 / 1000 > 126, "mJ/cm², the dose of half an hour at the limit"


def test_irradiance_falls_with_the_hours_of_the_tube(summer):
    lamp = summer.of("uv_lamp", "lamp") > 0
    used, given_off = summer.of("uv_lamp", "lamp_hours"), summer.of("uv_lamp", "irradiance")
    warm = [(c, b - 1) for c, _, b in runs(lamp)]
    hours, strength = np.array([(used[b, c], given_off[b, c]) for c, b in warm]).T
    assert np.corrcoef(hours, strength)[0, 1] < -0.6
    assert np.polyfit(hours, strength, 1)[0] == pytest.approx(-0.02, abs=0.01), "a fifth in 1000 hours"


def test_the_tube_counts_its_hours_while_it_burns_and_only_then(week):
    used, lamp = week.of("uv_lamp", "lamp_hours"), week.of("uv_lamp", "lamp")
    step_h = np.diff(used, axis=0)
    assert (np.abs(step_h[lamp[1:] == 0]) < 0.011).all()
    total = used[-1] - used[0]
    same_tube = total > 0
    assert same_tube.sum() >= 10
    np.testing.assert_allclose(total[same_tube], 5 * 0.75, atol=0.02)


def test_tubes_age_through_the_year_whatever_the_start():
    def hours(at_ms):
        return Days(DEVICES[:13], at_ms, 1 / 24).of("uv_lamp", "lamp_hours")[-1]

    spring = hours(SUMMER_MS - 98 * DAY_MS)
    np.testing.assert_allclose((hours(SUMMER_MS) - spring) % 1000, 67 * 0.75, atol=0.02)


# --- steriliser


def test_a_healthy_cycle_holds_120_degrees_for_longer_than_ten_minutes(week):
    chamber, cycle = week.of("steriliser", "chamber_temp"), week.of("steriliser", "cycle")
    holding = [(c, a, b) for c, a, b in runs(cycle == 2)]
    assert len(holding) == 6 * 5 * 2
    for column, begin, end in holding:
        assert (chamber[begin:end, column] >= 120).sum() / 2 >= 10


def test_a_cycle_goes_through_its_parts_in_order_within_its_hours(week):
    cycle = week.of("steriliser", "cycle")
    steps = {(a, b) for a, b in zip(cycle[:-1].ravel(), cycle[1:].ravel(), strict=True) if a != b}
    assert steps == {(0, 1), (1, 2), (2, 3), (3, 0)}
    assert longest_min(cycle > 0) < 75
    assert not week.of("steriliser", "power")[np.isin(cycle, (0, 3))].any()


# --- gas and water


def test_clean_air_and_small_puffs(week):
    gas = week.of("gas_detector", "gas")
    assert gas.max() < 10
    cooking = during(week, "gas_detector", Occasion.COOKING)
    assert gas[cooking].mean() > gas[~cooking].mean()
    np.testing.assert_array_equal(week.of("gas_detector", "fan")[cooking], 1)
    assert week.of("gas_detector", "valve").all()
    assert week.of("gas_detector", "supply").all()


def test_a_mop_wets_the_floor_for_minutes_and_on_some_days(week):
    wet = week.of("water_leak", "wet") > 0
    assert longest_min(wet) < 10
    assert 0.1 < len(runs(wet)) / (6 * 5) < 2
    wetted = [week.minute()[a] for _, a, _ in runs(wet)]
    assert all(13 * 60 <= m < 14 * 60 + 20 or 18 * 60 <= m < 19 * 60 + 20 for m in wetted)


# --- laws


@pytest.mark.parametrize("colder_k", [1.0, 3.0])
def test_a_colder_set_point_needs_more_power(colder_k):
    def power_w(shift_k):
        kitchen = Kitchen(DEVICES[:13], seed=1, start_ms=SUMMER_MS)
        for equipment, _, _ in kitchen._groups[:2]:
            table = getattr(equipment, "_cabinets", None)
            (equipment._rooms if table is None else table)["set_c"] -= shift_k
        values = kitchen.run(SUMMER_MS + DAY_MS, {})
        days = Days.__new__(Days)
        days.devices, days.values = DEVICES[:13], values
        days._first = np.cumsum([0, *(len(KITCHEN.device_type(d.type).measured) for d in days.devices)])
        return [
            days.of(t, c).mean(axis=0)
            for t, c in (
                ("fridge", "compressor_power"),
                ("freezer", "compressor_power"),
                ("cold_dish_room", "ac_power"),
            )
        ]

    for usual, colder in zip(power_w(0.0), power_w(colder_k), strict=True):
        assert (colder > usual).all()


@settings(deadline=None, max_examples=15)
@given(st.floats(0.05, 0.5), st.floats(0.1, 0.4))
def test_a_wider_door_warms_the_room_more(door, more):
    def warmth(share):
        days = Days(DEVICES[:13], SUMMER_MS + 10 * HOUR_MS, 1 / 48, door=("cold_dish_room", share))
        return days.of("cold_dish_room", "air_temp")[-1].mean()

    within_the_thermostats_band = 0.8
    assert warmth(door) <= warmth(door + more) + within_the_thermostats_band
    assert warmth(0.0) + 1 < warmth(0.9)


@settings(deadline=None, max_examples=15)
@given(st.floats(0.5, 4.0), st.floats(1.5, 3.0))
def test_gas_grows_with_the_leak_and_less_with_the_fan(leak, times):
    def gas(rate, fan):
        days = Days(
            DEVICES[:13], SUMMER_MS, 1 / 24, gas_leak=("gas_detector", rate), fan=("gas_detector", float(fan))
        )
        return days.of("gas_detector", "gas")[-10:].mean()

    assert gas(leak, fan=False) < gas(leak * times, fan=False)
    assert gas(leak, fan=True) < gas(leak, fan=False)
