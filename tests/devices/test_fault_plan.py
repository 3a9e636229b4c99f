"""Fault plans: laid onto a fleet as arrays, refused when wrong, and the demonstration's mishap."""

import numpy as np
import pytest

from scenewatch.devices.disturb import Disturbances
from scenewatch.devices.faults import FaultPlan, PlannedFault, drives, lay, mishap
from scenewatch.model.errors import ConfigurationError
from scenewatch.scenes.kitchen import KITCHEN

FRIDGE = "kitchen.s001.s001-fridge-1"
FREEZER = "kitchen.s002.s002-freezer-2"
TIMES = np.arange(0, 100, 10)


def laid(devices, *faults):
    return lay(KITCHEN, devices, FaultPlan(tuple(PlannedFault(*f) for f in faults)))


def disturbances(devices, *faults):
    """Of devices that have one column each, whatever the channel."""
    return Disturbances(laid(devices, *faults), [d.id for d in devices], lambda device, _: device, seed=1)


def times(devices):
    return np.repeat(TIMES[:, None], len(devices), axis=1)


def test_without_faults_nothing_is_driven_and_nobody_is_silent(two_kitchens):
    assert drives(laid(two_kitchens), times(two_kitchens)) == {}
    none = disturbances(two_kitchens)
    assert not none.silent(times(two_kitchens)).any()
    assert none.away(0) == []


def test_a_drive_holds_its_device_from_its_begin_to_before_its_end(two_kitchens):
    found = drives(laid(two_kitchens, ("compressor_dead", FRIDGE, 20, 50)), times(two_kitchens))
    assert found.keys() == {"compressor"}
    driven = found["compressor"]
    np.testing.assert_array_equal(driven[:, 1], [np.nan, np.nan, 0, 0, 0] + [np.nan] * 5)
    assert np.isnan(np.delete(driven, 1, axis=1)).all()


def test_a_time_table_counts_at_each_devices_own_sample_time(two_kitchens):
    shifted = times(two_kitchens)
    shifted[:, 1] += 7
    driven = drives(laid(two_kitchens, ("door_ajar", FRIDGE, 20, 50)), shifted)["door"]
    assert list(np.flatnonzero(~np.isnan(driven[:, 1]))) == [2, 3, 4]


def test_a_fault_outside_the_times_drives_nothing(two_kitchens):
    assert drives(laid(two_kitchens, ("door_ajar", FRIDGE, 500, 600)), times(two_kitchens)) == {}


def test_silence_is_a_mask(two_kitchens):
    silent = disturbances(two_kitchens, ("sensor_silent", FREEZER, 0, 15)).silent(times(two_kitchens))
    assert list(np.argwhere(silent)[:, 0]) == [0, 1]
    assert set(np.argwhere(silent)[:, 1]) == {11}


def test_of_two_faults_on_one_input_the_later_in_the_list_wins(two_kitchens):
    both = laid(two_kitchens, ("door_ajar", FRIDGE, 0, 50, 1.0), ("door_ajar", FRIDGE, 30, 90, 0.3))
    driven = drives(both, times(two_kitchens))["door"][:, 1]
    np.testing.assert_array_equal(driven, [1.0] * 3 + [0.3] * 6 + [np.nan])


def test_all_that_is_wrong_in_a_plan_is_said_at_once(two_kitchens):
    with pytest.raises(ConfigurationError) as caught:
        laid(
            two_kitchens,
            ("flood", FRIDGE, 0, 1),
            ("door_ajar", "kitchen.s009.x", 0, 1),
            ("door_ajar", "kitchen.s001.s001-gw", 0, 1),
            ("door_ajar", FRIDGE, 5, 5),
            ("door_ajar", FRIDGE, 5, 6, 1.5),
            ("compressor_dead", FRIDGE, 5, 6, 1.0),
        )
    said = [str(m) for m in caught.value.mistakes]
    parts = ("no such fault", "no such device", "not a gateway", "end after", "0.1 to 1 of its width", "one size")
    for text, part in zip(said, parts, strict=True):
        assert part in text


def test_a_plan_is_cut_to_the_devices_of_a_share(two_kitchens):
    plan = FaultPlan((PlannedFault("door_ajar", FRIDGE, 0, 1), PlannedFault("door_ajar", FREEZER, 0, 1)))
    assert [f.device for f in plan.of(two_kitchens[6:]).faults] == [FREEZER]


def test_the_mishap_is_due_about_a_minute_after_going_live_and_ends_by_itself(two_kitchens):
    live_ms = 1_000_000_000
    (fault,) = mishap(KITCHEN, two_kitchens, live_ms, not_before_ms=0).faults
    rule = KITCHEN.rule("door_ajar")
    due_ms = fault.from_ms + rule.on_delay + 30_000
    assert (fault.fault, fault.device) == ("door_ajar", FRIDGE)
    assert 60_000 <= due_ms - live_ms <= 75_000
    assert 150_000 <= fault.to_ms - due_ms <= 200_000


def test_the_mishap_waits_for_its_earliest_start(two_kitchens):
    early = mishap(KITCHEN, two_kitchens, 1_000_000_000, not_before_ms=0).faults[0]
    late = mishap(KITCHEN, two_kitchens, 1_000_000_000, not_before_ms=1_000_000_000).faults[0]
    assert late.from_ms == 1_000_000_000
    assert late.to_ms - late.from_ms == early.to_ms - early.from_ms


def test_without_a_device_it_could_befall_there_is_no_mishap(two_kitchens):
    assert mishap(KITCHEN, two_kitchens[:1], 0, not_before_ms=0).faults == ()
