"""Laws of the kernel and of chance that hold for any parameters."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from scenewatch.scenes.kitchen import kernel
from scenewatch.scenes.kitchen.cabinets import TYPICAL, draw_cabinet
from scenewatch.scenes.kitchen.chance import (
    HOUR_S,
    LONGEST_S,
    PAUSE_S,
    SHORTEST_S,
    draw_hour,
    key_of,
    openings,
)

TEMPERATURES = st.floats(-40, 50)
MODEST = settings(deadline=None, max_examples=40)


def advance(cabinet, state, steps, *, room_c, door, compressor, first_s=60.0):
    out = np.empty((steps, kernel.CHANNELS))
    rows = np.zeros((1, steps))
    hour = kernel.Hour(
        begin_s=first_s,
        room_c=np.array([room_c]),
        goods_w=0.0,
        battery_v=np.array([3.6]),
        share=rows,
        contact=rows,
        noise=np.zeros((1, steps, 3)),
    )
    drives = np.full((len(kernel.INPUTS), steps, 1), np.nan)
    drives[kernel.DOOR_OPEN] = door
    drives[kernel.COMPRESSOR] = compressor
    kernel.advance(cabinet, state, hour, 0, drives, np.array([0]), out)
    return out


def one(device_type, seed=0, **changes):
    cabinet = np.array([draw_cabinet(device_type, key_of(seed, "x"))])
    cabinet["defrost_phase_h"] = 0.0
    for name, value in changes.items():
        cabinet[name] = value
    return cabinet


def still(air_c, food_c, room_c):
    state = np.zeros(1, kernel.STATE)
    state["air_c"] = state["sensor_c"] = state["control_c"] = air_c
    state["food_c"], state["room_c"] = food_c, room_c
    return state


@MODEST
@given(
    st.sampled_from(sorted(TYPICAL)), st.integers(0, 99), TEMPERATURES, TEMPERATURES, TEMPERATURES, st.floats(0, 1)
)
def test_without_machines_no_temperature_leaves_the_span_of_its_neighbours(kind, seed, air, food, room, door):
    cabinet, state = one(kind, seed, fan_w=0.0, heater_w=0.0), still(air, food, room)
    low, high = min(air, food, room), max(air, food, room)
    for _ in range(20):
        advance(cabinet, state, 10, room_c=room, door=door, compressor=0.0)
        for name in ("air_c", "food_c", "sensor_c", "control_c"):
            assert low - 1e-9 <= state[name][0] <= high + 1e-9


@MODEST
@given(st.sampled_from(sorted(TYPICAL)), st.integers(0, 99), st.floats(0, 1))
def test_a_cabinet_left_alone_ends_at_room_temperature(kind, seed, door):
    cabinet, state = one(kind, seed, fan_w=0.0, heater_w=0.0), still(-10.0, -10.0, 25.0)
    advance(cabinet, state, 2880 * 14, room_c=25.0, door=door, compressor=0.0)
    assert abs(state["food_c"][0] - 25.0) < 1.0


@MODEST
@given(st.sampled_from(sorted(TYPICAL)), st.integers(0, 99), st.floats(0.05, 0.9), st.floats(0.05, 0.1))
def test_a_wider_door_lets_more_warmth_in(kind, seed, door, more):
    def after_ten_minutes(share):
        state = still(0.0, 0.0, 25.0)
        advance(one(kind, seed), state, 20, room_c=25.0, door=share, compressor=0.0)
        return state["air_c"][0]

    assert after_ten_minutes(door) < after_ten_minutes(door + more)


@MODEST
@given(st.integers(0, 99), st.floats(0, 3600))
def test_a_defrost_comes_on_time_and_lasts_longer_after_more_openings(seed, frost_s):
    cabinet, state = one("freezer", seed), still(-20.0, -20.0, 25.0)
    state["frost_s"] = frost_s
    every_s = cabinet["defrost_every_h"][0] * 3600.0
    out = advance(cabinet, state, 60, room_c=25.0, door=0.0, compressor=np.nan, first_s=10 * every_s - 90.0)
    defrosting = out[:, kernel.DEFROST]
    expected_s = min(cabinet["defrost_base_s"][0] + frost_s, cabinet["defrost_most_s"][0])
    assert list(defrosting[:3]) == [0, 0, 0]
    assert defrosting[3] == 1
    assert abs(defrosting.sum() * kernel.STEP_S - expected_s) <= kernel.STEP_S
    assert (out[defrosting == 1, kernel.POWER] == 0).all()


@MODEST
@given(st.integers(0, 2**32), st.floats(0, 40), st.floats(5, 40))
def test_openings_are_apart_and_none_reaches_into_the_next_hour(seed, per_hour, open_s):
    chance = draw_hour([key_of(seed, "a"), key_of(seed, "b")], 7, 120)
    opens, closes = openings(chance, np.full(2, per_hour), open_s)
    share, contact = np.zeros((2, 120)), np.zeros((2, 120))
    kernel.spread_openings(opens, closes, share, contact)
    length = closes - opens
    assert (length >= SHORTEST_S - 1e-9).all()
    assert (length <= LONGEST_S + 1e-9).all()
    assert (opens[:, 1:] - closes[:, :-1] >= PAUSE_S - 1e-9).all()
    assert ((share >= 0) & (share <= 1)).all()
    assert (share[contact == 1] > 0).all()
    happened = closes < HOUR_S
    np.testing.assert_allclose(share.sum(axis=1) * kernel.STEP_S, (length * happened).sum(axis=1), atol=1e-6)


def test_nobody_opens_a_door_of_a_closed_kitchen():
    opens, _ = openings(draw_hour([key_of(1, "a")], 7, 120), np.zeros(1), 10.0)
    assert (opens > HOUR_S).all()


@MODEST
@given(st.integers(0, 2**40), st.text(max_size=20), st.integers(1, 10**6))
def test_chance_depends_on_seed_place_and_hour_alone(seed, name, hour):
    first, second = (draw_hour([key_of(seed, name)], hour, 4) for _ in range(2))
    np.testing.assert_array_equal(first.noise, second.noise)
    others = ((seed + 1, name, hour), (seed, f"{name}x", hour), (seed, name, hour + 1))
    for other_seed, other_name, other_hour in others:
        other = draw_hour([key_of(other_seed, other_name)], other_hour, 4)
        assert not np.array_equal(first.waits, other.waits)
