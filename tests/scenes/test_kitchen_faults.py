"""What each fault of the physics does to the device it befalls, at the smallest size that must be found."""

import numpy as np
import pytest
from kitchen_rig import FIRST, STEP_MS, runs

from scenewatch.devices.faults import FaultPlan, PlannedFault
from scenewatch.devices.fleet import NO_FAULTS, Fleet
from scenewatch.model.fault import PhysicsEffect
from scenewatch.scenes.kitchen import KITCHEN
from scenewatch.scenes.kitchen.demonstration import KitchenDemonstration
from scenewatch.scenes.kitchen.physics import Kitchen

HOUR_MS = 3_600_000
MONDAY_MS = 1_772_380_800_000
FROM_MS = MONDAY_MS + 7 * HOUR_MS
DEVICES = KitchenDemonstration().devices(1)
A_DAY = 2880


class Told:
    """One device's channels while a fault lasts, without (`was`) and with it (`now`), and the spans of its use."""

    def __init__(self, was, now, device_type):
        self._was, self._now, self._type = was, now, device_type

    def was(self, channel):
        return self._was[:, FIRST[self._type].index(channel)]

    def now(self, channel):
        return self._now[:, FIRST[self._type].index(channel)]


def play(plan, to_ms):
    fleet = Fleet(KITCHEN, DEVICES, seed=4, start_ms=MONDAY_MS, plan=plan)
    values = np.concatenate([b.values for b in fleet.advance(to_ms)])
    return {
        d.device: values[(FROM_MS - MONDAY_MS) // STEP_MS :, fleet.first_column[n] : fleet.first_column[n + 1]]
        for n, d in enumerate(DEVICES)
    }


@pytest.fixture(scope="module")
def twin():
    longest = max(f.minimum for f in KITCHEN.faults)
    return play(NO_FAULTS, FROM_MS + longest)


def befall(twin, fault, device, size=None):
    if size is None and fault.sizes is not None:
        size = fault.sizes.findable
    plan = FaultPlan((PlannedFault(fault.key, device.id, FROM_MS, FROM_MS + fault.minimum, size),))
    found = play(plan, FROM_MS + fault.minimum - STEP_MS)  # samples are taken within the interval behind a step
    return {
        d.device: Told(twin[d.device][: len(found[d.device])], found[d.device], d.type)
        for d in DEVICES
        if d.type != "gateway"
    }


def power_of(device_type):
    return "ac_power" if device_type == "cold_dish_room" else "compressor_power"


def duty(power_w):
    return (power_w[-A_DAY:] > 0).mean()


def is_ajar(told):
    assert told.now("door").all()
    assert told.now("air_temp").mean() > told.was("air_temp").mean()


def stands_still(told):
    assert not told.now("compressor_power").any()
    assert told.now("air_temp")[-1] > told.was("air_temp")[-1] + 5


def freezes(told):
    assert told.now("compressor_power").all()
    assert told.now("air_temp")[-1] < -2
    assert told.was("air_temp").min() > 0


def wears(told):
    """Half the cooling power: it runs for longer and takes more than it did."""
    assert duty(told.now("compressor_power")) > 1.4 * duty(told.was("compressor_power"))
    running = told.now("compressor_power")[-A_DAY:]
    usual = told.was("compressor_power")[-A_DAY:]
    assert np.median(running[running > 0]) > 1.02 * np.median(usual[usual > 0])


def empties(told):
    """It runs for longer and takes less."""
    assert duty(told.now("compressor_power")) > 1.4 * duty(told.was("compressor_power"))
    running = told.now("compressor_power")[-A_DAY:]
    usual = told.was("compressor_power")[-A_DAY:]
    assert np.median(running[running > 0]) < 0.9 * np.median(usual[usual > 0])


def defrosts_on(told):
    assert told.now("defrost").all()
    assert told.now("air_temp")[-1] > told.was("air_temp")[-1] + 5


def ices_up(told):
    assert not told.now("defrost").any()
    assert duty(told.now("compressor_power")) > 1.2 * duty(told.was("compressor_power"))


def is_not_conditioned(told):
    assert not told.now("ac_power").any()
    assert told.now("air_temp").max() > 25.0
    assert told.now("humidity").mean() > told.was("humidity").mean()


def lets_food_cool(told):
    in_use = told.now("in_use") > 0
    assert told.was("food_temp")[in_use].max() > 75
    for _, begin, end in runs(in_use[:, None]):
        if end - begin > 120:
            assert told.now("air_temp")[begin:end].min() < 60
            assert (told.now("air_temp")[begin + 60 : end] < 60).sum() / 2 > 30
            assert (told.was("air_temp")[begin + 60 : end] < 60).sum() == 0


def is_too_weak(told):
    for _, begin, end in runs(told.now("lamp")[:, None] > 0):
        assert told.now("irradiance")[begin + 10 : end].max() < 70
        assert told.was("irradiance")[begin + 10 : end].min() > 70


def burns_on_somebody(told):
    assert told.now("presence").all()
    assert told.now("lamp").all()
    assert (told.now("irradiance") > 40).all()


def minutes_hot(told):
    cycles = runs(told.now("cycle")[:, None] > 0)
    assert len(cycles) >= 4
    return [(told.now("chamber_temp")[a:b] >= 120).sum() / 2 for _, a, b in cycles]


def holds_too_short(told):
    assert max(minutes_hot(told)) < 10


def stays_too_cool(told):
    assert max(minutes_hot(told)) < 5


def has_gas(told):
    """Enough for the first stage of an alarm, even while the fan runs for breakfast."""
    assert told.now("gas").max() > 25
    assert told.was("gas").max() < 10


def is_wet(told):
    assert told.now("wet").all()


EFFECTS = {
    "door_ajar": is_ajar,
    "compressor_dead": stands_still,
    "compressor_endless": freezes,
    "compressor_wearing": wears,
    "refrigerant_loss": empties,
    "defrost_endless": defrosts_on,
    "defrost_missing": ices_up,
    "air_conditioner_dead": is_not_conditioned,
    "heater_weak": lets_food_cool,
    "lamp_aged": is_too_weak,
    "person_under_lamp": burns_on_somebody,
    "cycle_short": holds_too_short,
    "cycle_cool": stays_too_cool,
    "gas_leak": has_gas,
    "flooding": is_wet,
}
OF_ONE_DEVICE = [f for f in KITCHEN.faults if isinstance(f.effect, PhysicsEffect) and f.key != "power_cut"]


@pytest.mark.parametrize(
    ("fault", "device"),
    [
        pytest.param(f, next(d for d in DEVICES if d.type == on), id=f"{f.key}-{on}")
        for f in OF_ONE_DEVICE
        for on in f.on
    ],
)
def test_a_fault_of_findable_size_does_what_its_rule_will_look_for(fault, device, twin):
    EFFECTS[fault.key](befall(twin, fault, device)[device.device])


def test_every_fault_of_one_device_is_looked_at():
    assert EFFECTS.keys() == {f.key for f in OF_ONE_DEVICE}


@pytest.mark.parametrize("fault", [f for f in OF_ONE_DEVICE if f.sizes is not None], ids=lambda f: f.key)
def test_the_smallest_and_the_largest_size_can_be_played(fault, twin):
    device = next(d for d in DEVICES if d.type == fault.on[0])
    changes = []
    for size in (fault.sizes.smallest, fault.sizes.largest):
        told = befall(twin, fault, device, size)[device.device]
        changes.append(max(np.abs(told.now(c) - told.was(c)).mean() for c in FIRST[device.type]))
    assert 0 < changes[0] < changes[1]


def test_a_power_cut_stops_all_that_needs_mains_and_spares_what_has_a_battery(twin):
    told = befall(twin, KITCHEN.fault("power_cut"), DEVICES[0])
    for device in DEVICES[1:6]:
        now = told[device.device]
        assert not now.now("compressor_power").any()
        assert not now.now("defrost").any()
        assert now.now("air_temp")[-1] > now.was("air_temp")[-1] + 3
    for name, channel in (
        ("cold-dish-room", "ac_power"),
        ("hot-cabinet", "heater_power"),
        ("uv-1", "lamp"),
        ("uv-2", "irradiance"),
        ("steriliser", "power"),
        ("gas", "fan"),
        ("gas", "supply"),
    ):
        assert not told[f"s001-{name}"].now(channel).any(), name
    for name, channel in (("fridge-1", "door"), ("fridge-1", "battery"), ("leak", "battery"), ("leak", "wet")):
        of_it = told[f"s001-{name}"]
        np.testing.assert_array_equal(of_it.now(channel), of_it.was(channel))


@pytest.mark.parametrize(("valve", "most"), [(1.0, 100.0), (0.0, 5.0)])
def test_a_shut_valve_ends_a_leak(valve, most):
    held = np.full((240, len(DEVICES)), 20.0)
    shut = np.full((240, len(DEVICES)), valve)
    kitchen = Kitchen(DEVICES, seed=1, start_ms=MONDAY_MS)
    values = kitchen.run(MONDAY_MS + 240 * STEP_MS, {"gas_leak": held, "valve": shut})
    first = sum(len(KITCHEN.device_type(d.type).measured) for d in DEVICES[:11])
    gas, told = values[:, first], values[:, first + 1]
    assert (told == valve).all()
    assert (gas.max() > 90) == (valve == 1.0)
    assert gas.max() <= most


def test_a_fan_blows_a_leak_out_while_it_runs():
    leak = np.full((240, len(DEVICES)), 4.0)
    fan = np.full((240, len(DEVICES)), 0.0)
    fan[120:] = 1.0
    kitchen = Kitchen(DEVICES, seed=1, start_ms=MONDAY_MS)
    values = kitchen.run(MONDAY_MS + 240 * STEP_MS, {"gas_leak": leak, "fan": fan})
    gas = values[:, sum(len(KITCHEN.device_type(d.type).measured) for d in DEVICES[:11])]
    assert gas[239] < 0.6 * gas[119]
