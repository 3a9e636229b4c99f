"""The fleet in steps, as blocks, as batches and as samples in order of time: always the same numbers."""

from dataclasses import replace
from itertools import chain, pairwise

import numpy as np
import pytest

from scenewatch.devices.faults import FaultPlan, PlannedFault
from scenewatch.devices.fleet import Fleet, offset_ms
from scenewatch.devices.history import batches
from scenewatch.devices.schedule import Schedule
from scenewatch.model.errors import ConfigurationError
from scenewatch.model.registry import Registry
from scenewatch.model.words import seconds
from scenewatch.scenes.kitchen import KITCHEN

START_MS = 1_772_380_800_000
HOUR_MS = 3_600_000
QUIET = "kitchen.s001.s001-fridge-2"
PLAN = FaultPlan(
    (
        PlannedFault("door_ajar", "kitchen.s001.s001-fridge-1", START_MS + 600_000, START_MS + 1_200_000),
        PlannedFault("sensor_silent", QUIET, START_MS + 300_000, START_MS + 900_000),
    )
)


def fleet_of(devices, plan=PLAN, start_ms=START_MS):
    return Fleet(KITCHEN, devices, seed=1, start_ms=start_ms, plan=plan)


def registry_of(devices):
    registry = Registry([KITCHEN])
    registry.apply(devices, at_ms=0)
    return registry


def samples(fleet, steps=120):
    """All of the next steps; the last ones come up to an interval after the last step."""
    schedule = Schedule(fleet)
    last_ms = fleet.at_ms + steps * 30_000
    return list(chain(schedule.due(last_ms), schedule.due(last_ms + 29_999)))


def readings(found, fleet):
    """{(device id, channel, t): value}"""
    return {
        (fleet.devices[s.device].id, channel, s.t_ms): value
        for s in found
        for channel, value in zip(fleet.channels[s.device], s.values, strict=True)
    }


def stored(found, registry):
    """The same from batches."""
    return {
        (registry.devices[registry.series_device[s]].id, registry.channel_of(s).key, t): v
        for b in found
        for s, t, v in zip(b.series.tolist(), b.t_ms.tolist(), b.value.tolist(), strict=True)
    }


@pytest.fixture(scope="module")
def truth(two_kitchens):
    fleet = fleet_of(two_kitchens)
    return readings(samples(fleet), fleet)


def test_offsets_are_fixed_and_spread_over_the_interval():
    offsets = np.array([offset_ms(f"device-{n}", 30_000) for n in range(3000)])
    assert offset_ms("device-7", 30_000) == offsets[7]
    assert offsets.min() >= 0
    assert offsets.max() < 30_000
    assert np.histogram(offsets, bins=10, range=(0, 30_000))[0].min() > 230


def test_a_fleet_steps_at_multiples_of_the_interval(two_kitchens):
    fleet = fleet_of(two_kitchens, start_ms=START_MS + 12_345)
    assert fleet.at_ms == START_MS
    blocks = list(fleet.advance(START_MS + 100_000))
    steps = np.concatenate([b.t_ms - fleet.offset_ms for b in blocks])
    assert [list(row) for row in np.unique(steps, axis=1)] == [[START_MS + n * 30_000] for n in (1, 2, 3)]
    assert list(fleet.advance(START_MS + 119_999)) == []


def test_a_silent_device_has_no_samples_and_its_physics_goes_on(two_kitchens, truth):
    times = sorted(t for device, channel, t in truth if device == QUIET and channel == "air_temp")
    gap = max(b - a for a, b in pairwise(times))
    assert gap == 600_000 + 30_000
    undisturbed = fleet_of(two_kitchens, plan=FaultPlan())
    twin = readings(samples(undisturbed), undisturbed)
    assert all(twin[k] == truth[k] for k in twin if k[0] == QUIET and k in truth)


def test_a_door_ajar_shows_in_the_samples_of_its_span_alone(truth):
    fault = PLAN.faults[0]
    door = {t: v for (device, channel, t), v in truth.items() if device == fault.device and channel == "door"}
    assert {v for t, v in door.items() if fault.from_ms <= t < fault.to_ms} == {1.0}
    assert door[max(t for t in door if t < fault.from_ms)] == 0.0
    assert door[min(t for t in door if t >= fault.to_ms)] == 0.0


def test_samples_come_in_order_of_time_and_not_before_it(two_kitchens):
    schedule = Schedule(fleet_of(two_kitchens))
    seen = []
    for now_ms in range(START_MS, START_MS + 300_000, 1_700):
        due = [s.t_ms for s in schedule.due(now_ms)]
        assert all(t <= now_ms for t in due)
        assert schedule.next_ms() > now_ms
        seen += due
    assert seen == sorted(seen)
    assert len(seen) > 80


def test_history_as_batches_is_what_devices_would_have_published(two_kitchens, truth):
    registry = registry_of(two_kitchens)
    fleet = fleet_of(two_kitchens)
    found = list(batches(fleet, registry, START_MS, START_MS + HOUR_MS))
    assert stored(found, registry) == truth


def test_history_and_live_meet_without_gap_or_overlap(two_kitchens, truth):
    registry = registry_of(two_kitchens)
    live_ms = START_MS + 1_815_000
    past = stored(batches(fleet_of(two_kitchens), registry, START_MS, live_ms), registry)
    live = fleet_of(two_kitchens)
    live.skip(live_ms)
    later = readings(samples(live, 60), live)
    assert not past.keys() & later.keys()
    assert past | later == truth


def test_a_batch_tells_which_readings_came_together(two_kitchens):
    registry = registry_of(two_kitchens)
    (batch,) = batches(fleet_of(two_kitchens), registry, START_MS, START_MS + 1_200_000)
    messages = batch.message
    assert messages[0] == 0
    assert set(np.diff(messages)) == {0, 1}
    for message in (0, 7, int(messages[-1])):
        together = batch.select(messages == message)
        assert len(together) == 5
        assert len(set(together.t_ms)) == 1
        assert len({registry.series_device[s] for s in together.series}) == 1


def test_history_begins_after_its_from(two_kitchens):
    registry = registry_of(two_kitchens)
    found = list(batches(fleet_of(two_kitchens), registry, START_MS + 600_000, START_MS + 1_200_000))
    assert min(int(b.t_ms.min()) for b in found) > START_MS + 630_000 - 1


def test_history_of_a_device_outside_the_inventory_is_refused_by_name(two_kitchens):
    registry = registry_of(two_kitchens[:6])
    with pytest.raises(ConfigurationError, match=r"s002\.s002-fridge-1: is not in the inventory"):
        list(batches(fleet_of(two_kitchens), registry, START_MS, START_MS + HOUR_MS))


def test_a_scene_of_two_intervals_has_no_fleet(two_kitchens):
    fridge, *others = KITCHEN.device_types
    scene = replace(KITCHEN, device_types=(replace(fridge, every=seconds(10)), *others))
    with pytest.raises(ValueError, match="2 reporting intervals"):
        Fleet(scene, two_kitchens, seed=1, start_ms=START_MS)
