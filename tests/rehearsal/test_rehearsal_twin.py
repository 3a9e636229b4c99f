"""A fault's effect is what differs from the twin, in units of each channel's own noise."""

import numpy as np
import pytest

from scenewatch.devices.faults import FaultPlan, PlannedFault
from scenewatch.devices.fleet import Fleet
from scenewatch.model.fault import Drift, Scope
from scenewatch.model.words import hours, minutes
from scenewatch.rehearsal.draw import planned
from scenewatch.rehearsal.twin import OF_VALUES, Layout, Twin, noise
from scenewatch.scenes import SCENES, demonstration

SCENE = next(s for s in SCENES if s.key == "kitchen")
DEVICES = demonstration(SCENE).devices(1)
FROM_MS = 1_779_033_600_000
TO_MS = FROM_MS + hours(30)
AT_MS = FROM_MS + hours(26)
TWO_HOURS = hours(2)


def of(fault_key, *, lasting=TWO_HOURS, size=None):
    fault = SCENE.fault(fault_key)
    device = next(d for d in DEVICES if d.type in fault.on)
    return planned(DEVICES, [(fault, device, AT_MS, AT_MS + lasting, size)])


def effect(drawn):
    plan = FaultPlan(tuple(PlannedFault(d.fault.key, d.device.id, d.from_ms, d.to_ms, d.size) for d in drawn))
    faulty, clean = (Fleet(SCENE, DEVICES, seed=4, start_ms=FROM_MS, plan=p) for p in (plan, FaultPlan()))
    kinds = tuple(f"{d.type}.{c}" for d, keys in zip(DEVICES, faulty.channels, strict=True) for c in keys)
    twin = Twin(Layout(tuple(d.id for d in DEVICES), faulty.channels, kinds, tuple(range(len(kinds)))), drawn)
    for one, other in zip(faulty.advance(TO_MS), clean.advance(TO_MS), strict=True):
        twin.take(one.t_ms, one.values, other.values)
    (found,) = twin.effects()
    return found


@pytest.mark.parametrize(
    "fault", [f for f in SCENE.faults if not isinstance(f.effect, OF_VALUES)], ids=lambda f: f.key
)
def test_what_changes_no_value_has_no_effect_to_measure(fault):
    assert effect(of(fault.key)) is None


def test_a_drift_has_the_effect_of_its_size():
    drift = next(f for f in SCENE.faults if isinstance(f.effect, Drift) and "fridge" in f.on)
    small, large = (effect(of(drift.key, size=size)) for size in (drift.sizes.smallest, drift.sizes.largest))
    assert small > 0
    assert large / small == pytest.approx(drift.sizes.largest / drift.sizes.smallest, rel=0.2)


def test_a_fault_of_the_world_shows_beyond_all_noise():
    assert effect(of("compressor_dead", lasting=hours(3))) > 20


def test_of_a_site_every_device_is_looked_at():
    cut = next(f for f in SCENE.faults if f.scope is Scope.SITE)
    assert effect(of(cut.key)) > 20  # the gateway that it befalls has no channel at all


def test_too_short_to_show_is_no_effect():
    """Between two readings of the device nothing is read."""
    (drawn,) = of("compressor_dead", lasting=1)
    assert effect([drawn]) == 0.0


def test_noise_is_that_of_the_steps_and_a_switch_has_one():
    chance = np.random.default_rng(1)
    steady = np.round(chance.normal(0, 0.5, 5000), 2)
    drifting = np.round(np.linspace(0, 40, 5000) + chance.normal(0, 0.5, 5000), 2)
    switch = (np.arange(5000) % 700 < 30).astype(float)
    coarse = np.round(np.cumsum(chance.random(5000) < 0.01) * 0.1, 1)
    values = np.stack([steady, drifting, switch, np.zeros(5000), coarse], axis=1)
    found = noise(values, ("a", "b", "c", "d", "e"))
    assert found[:2] == pytest.approx([0.5, 0.5], rel=0.1)
    assert found[2:] == pytest.approx([1.0, 1.0, 0.1])


def test_channels_of_a_kind_share_their_noise():
    chance = np.random.default_rng(2)
    values = np.stack([chance.normal(0, 1.0, 4000), np.zeros(4000)], axis=1)
    one, other = noise(values, ("a", "a"))
    assert one == other > 0


def test_planned_faults_are_findable_by_their_table():
    fault = SCENE.fault("door_ajar")
    device = next(d for d in DEVICES if d.type in fault.on)
    sizes = fault.sizes

    def findable(lasting, size):
        (one,) = planned(DEVICES, [(fault, device, AT_MS, AT_MS + lasting, size)])
        return one.findable

    assert findable(fault.minimum, sizes.findable)
    assert findable(fault.minimum, None)
    assert not findable(fault.minimum - minutes(1), sizes.largest)
    assert not findable(hours(5), sizes.findable * 0.9)
