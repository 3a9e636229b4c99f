"""Sensors that err, wrong clocks and gateways that are away: in the numbers, as history, and on a broker."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenewatch.devices.faults import FaultPlan, PlannedFault
from scenewatch.devices.fleet import NO_FAULTS, Fleet
from scenewatch.devices.gateway import gateways
from scenewatch.devices.history import batches
from scenewatch.devices.publisher import Publisher
from scenewatch.devices.schedule import Schedule
from scenewatch.model.broker import Broker
from scenewatch.model.registry import Registry
from scenewatch.scenes.kitchen import KITCHEN

START_MS = 1_772_380_800_000
HOUR_MS = 3_600_000
FRIDGE = "kitchen.s001.s001-fridge-1"
GATEWAY = "kitchen.s001.s001-gw"
FROM_MS, TO_MS = START_MS + 1_000_000, START_MS + 5_000_000


def plan_of(fault, device=FRIDGE, size=None, from_ms=FROM_MS, to_ms=TO_MS):
    return FaultPlan((PlannedFault(fault, device, from_ms, to_ms, size),))


def fleet_of(devices, plan=NO_FAULTS):
    return Fleet(KITCHEN, devices, seed=1, start_ms=START_MS, plan=plan)


def played(devices, plan=NO_FAULTS, cuts=()):
    """Two hours of all devices, in as many pieces as there are cuts: taken, stamped, sent, values."""
    fleet = fleet_of(devices, plan)
    blocks = [b for to_ms in (*sorted(cuts), START_MS + 2 * HOUR_MS) for b in fleet.advance(to_ms)]
    return tuple(
        np.concatenate([getattr(b, name) for b in blocks]) for name in ("t_ms", "stamped_ms", "sent_ms", "values")
    )


def air_of(run, device=1):
    """When a cabinet's samples were taken, and its air temperature."""
    return run[0][:, device], run[3][:, 5 * (device - 1)]


@pytest.fixture(scope="module")
def twin(two_kitchens):
    return played(two_kitchens)


def test_a_stuck_sensor_repeats_what_it_read_last(two_kitchens, twin):
    t_ms, air = air_of(played(two_kitchens, plan_of("sensor_stuck")))
    _, truth = air_of(twin)
    stuck = (t_ms >= FROM_MS) & (t_ms < TO_MS)
    assert set(air[stuck]) == {truth[np.flatnonzero(stuck)[0] - 1]}
    np.testing.assert_array_equal(air[~stuck], truth[~stuck])


def test_a_sensor_that_freezes_again_holds_one_value_across_blocks(two_kitchens):
    begins = START_MS + HOUR_MS // 4, START_MS + HOUR_MS
    plan = FaultPlan(tuple(PlannedFault("sensor_stuck", FRIDGE, at, at + HOUR_MS // 2) for at in begins))
    t_ms, air = air_of(played(two_kitchens, plan, cuts=(begins[1] + HOUR_MS // 8, begins[1] + HOUR_MS // 4)))
    for at in begins:
        assert len(set(air[(t_ms >= at) & (t_ms < at + HOUR_MS // 2)])) == 1


def test_a_drifting_sensor_errs_evenly_more_in_steps_of_its_resolution(two_kitchens, twin):
    t_ms, air = air_of(played(two_kitchens, plan_of("sensor_drifting", size=4.0)))
    _, truth = air_of(twin)
    during = (t_ms >= FROM_MS) & (t_ms < TO_MS)
    error = (air - truth)[during]
    np.testing.assert_allclose(error, 4.0 * (t_ms[during] - FROM_MS) / (TO_MS - FROM_MS), atol=0.051)
    assert all(len(f"{x!r}".partition(".")[2]) <= 1 for x in air.tolist())
    np.testing.assert_array_equal(air[~during], truth[~during])


def test_a_battery_that_runs_down_reads_less(two_kitchens, twin):
    run = played(two_kitchens, plan_of("battery_low", size=1.0))
    during = (run[0][:, 1] >= FROM_MS) & (run[0][:, 1] < TO_MS)
    fallen = (twin[3] - run[3])[:, 4][during]
    assert (np.diff(fallen) >= -1e-9).all()
    assert 0.98 < fallen[-1] <= 1.0


def test_spikes_are_rare_high_and_gone_at_once(two_kitchens, twin):
    _, air = air_of(played(two_kitchens, plan_of("sensor_spiking", size=20.0, to_ms=START_MS + 2 * HOUR_MS)))
    _, truth = air_of(twin)
    error = air - truth
    assert set(np.round(error, 6)) == {0.0, 20.0}
    assert 1 <= (error > 0).sum() <= 12


@settings(deadline=None, max_examples=15)
@given(
    st.sampled_from(["sensor_stuck", "sensor_drifting", "sensor_spiking", "battery_low", "clock_wrong"]),
    st.lists(st.integers(0, 240), max_size=5),
)
def test_an_error_is_the_same_whatever_the_blocks(two_kitchens, fault, cuts):
    cut = played(two_kitchens, plan_of(fault), [START_MS + 30_000 * c for c in cuts])
    for one, other in zip(cut, played(two_kitchens, plan_of(fault)), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_wrong_clock_stamps_ahead_and_neither_takes_nor_sends_otherwise(two_kitchens, twin):
    taken, stamped, sent, values = played(two_kitchens, plan_of("clock_wrong", size=90.0))
    np.testing.assert_array_equal(taken, twin[0])
    np.testing.assert_array_equal(sent, taken)
    np.testing.assert_array_equal(values, twin[3])
    during = (taken[:, 1] >= FROM_MS) & (taken[:, 1] < TO_MS)
    np.testing.assert_array_equal((stamped - taken)[:, 1], np.where(during, 90 * 60_000, 0))
    np.testing.assert_array_equal(np.delete(stamped, 1, axis=1), np.delete(taken, 1, axis=1))


def test_samples_of_a_gateway_that_is_away_leave_when_it_is_back(two_kitchens, twin):
    taken, stamped, sent, values = played(two_kitchens, plan_of("gateway_away", GATEWAY))
    np.testing.assert_array_equal(stamped, taken)
    np.testing.assert_array_equal(values, twin[3])
    away = (taken[:, :6] >= FROM_MS) & (taken[:, :6] < TO_MS)
    np.testing.assert_array_equal(sent[:, :6], np.where(away, TO_MS, taken[:, :6]))
    np.testing.assert_array_equal(sent[:, 6:], taken[:, 6:])


# --- as history


def history(devices, plan, hours=2):
    registry = Registry([KITCHEN])
    registry.apply(devices, at_ms=0)
    return list(batches(fleet_of(devices, plan), registry, START_MS, START_MS + hours * HOUR_MS))


def rows(found):
    return {
        (int(s), int(t)): (float(v), int(r))
        for b in found
        for s, t, v, r in zip(b.series, b.t_ms, b.value, b.received_ms, strict=True)
    }


def test_history_holds_what_came_late_where_it_came(two_kitchens):
    plan = plan_of("gateway_away", GATEWAY)
    found, plain = history(two_kitchens, plan), history(two_kitchens, NO_FAULTS)
    late, usual = rows(found), rows(plain)
    assert late.keys() == usual.keys()
    assert {key: v for key, (v, _) in late.items()} == {key: v for key, (v, _) in usual.items()}
    kept = [key for key, (_, received_ms) in late.items() if received_ms != key[1]]
    assert {late[key][1] for key in kept} == {TO_MS}
    a_cabinet = len(KITCHEN.device_type("fridge").channels)  # as many as a freezer has
    assert {key[0] // a_cabinet for key in kept} == set(range(5))
    newest_ms = 0
    for batch in found:
        if (batch.received_ms == TO_MS).any():
            assert newest_ms <= TO_MS
        newest_ms = max(newest_ms, int(batch.received_ms.max()))
    messages = sum(int(b.message[-1]) + 1 for b in found)
    assert messages == sum(int(b.message[-1]) + 1 for b in plain)


def test_readings_of_one_series_stay_in_the_order_of_time(two_kitchens):
    found = history(two_kitchens, plan_of("gateway_away", GATEWAY))
    for series in range(10):
        times = np.concatenate([b.t_ms[b.series == series] for b in found])
        assert (np.diff(times) > 0).all()


def test_history_has_the_time_of_a_wrong_clock_and_when_it_was_received(two_kitchens):
    found = history(two_kitchens, plan_of("clock_wrong", size=90.0))
    ahead = np.concatenate([(b.t_ms - b.received_ms)[b.series < 5] for b in found])
    assert set(ahead) == {0, 90 * 60_000}


def test_what_is_kept_back_at_the_end_of_history_is_told_by_the_devices(two_kitchens):
    plan = plan_of("gateway_away", GATEWAY, to_ms=START_MS + 3 * HOUR_MS)
    live_ms = START_MS + 2 * HOUR_MS
    schedule = Schedule(fleet_of(two_kitchens, plan))
    kept = list(schedule.skip(live_ms))
    told = {(s.device, s.t_ms) for s in kept}
    assert {device for device, _ in told} == set(range(1, 6))
    assert min(t for _, t in told) >= FROM_MS
    assert len(told) * 5 + len(rows(history(two_kitchens, plan))) == len(rows(history(two_kitchens, NO_FAULTS)))
    assert all(a.t_ms <= b.t_ms + 30_000 for a, b in pairwise(kept))


# --- on a broker


def test_a_gateway_that_is_away_says_nothing_and_then_all_in_arrays(
    two_kitchens, broker, subscriber, hand_clock, wait_until, caplog
):
    devices = two_kitchens[:7]
    plan = plan_of("gateway_away", GATEWAY)
    fleet = fleet_of(devices, plan)
    schedule = Schedule(fleet)
    clock = hand_clock(START_MS)
    address = Broker(url=f"mqtt://127.0.0.1:{broker.port}")
    with Publisher(gateways(fleet, root="sw", boot="b"), address, clock) as publisher:

        def until(now_ms, told):
            clock.at_ms = now_ms
            publisher.offer(schedule.due(now_ms))

            def done():
                publisher.turn(0.01)
                return told()

            wait_until(done, f"what is due at {now_ms}")

        def of(device):
            return [body for name, body in subscriber.telemetry if name == device]

        until(FROM_MS - 1, lambda: _samples(of(FRIDGE)) >= 32)
        before = len(of(FRIDGE))
        until(FROM_MS + 2_000_000, lambda: publisher.connected)
        for _ in range(30):
            publisher.turn(0.01)
        assert len(of(FRIDGE)) == before
        assert publisher.lag_ms(clock.at_ms) == 0
        until(TO_MS, lambda: _samples(of(FRIDGE)) >= 165)
        publisher.stop(2.0)
    late = of(FRIDGE)[before:]
    assert isinstance(late[0]["t"], list)
    assert "h" not in late[0]
    assert [b["n"] for b in of(FRIDGE)] == list(range(len(of(FRIDGE))))
    times = [t for b in of(FRIDGE) for t in (b["t"] if isinstance(b["t"], list) else [b["t"]])]
    assert times == sorted(set(times))
    assert "wait for it" not in caplog.text


def _samples(bodies):
    return sum(len(b["t"]) if isinstance(b["t"], list) else 1 for b in bodies)


def test_a_device_with_a_wrong_clock_publishes_at_the_right_time(two_kitchens):
    schedule = Schedule(fleet_of(two_kitchens, plan_of("clock_wrong", size=90.0)))
    due = [s for s in schedule.due(TO_MS - 60_000) if s.device == 1]
    assert all(s.t_ms <= TO_MS - 60_000 for s in due)
    wrong = [s for s in due if s.t_ms >= FROM_MS]
    assert {s.stamped_ms - s.t_ms for s in wrong} == {90 * 60_000}
