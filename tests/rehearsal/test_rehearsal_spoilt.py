"""Flags against what was truly spoilt: which readings count, which count neither way, and the shares."""

import numpy as np
import pytest

from scenewatch.model.batch import Batch
from scenewatch.model.fault import Frozen, Spikes, WrongClock
from scenewatch.model.flags import Flag
from scenewatch.model.flags import Test as By
from scenewatch.model.words import hours, minutes, seconds
from scenewatch.rehearsal.draw import planned
from scenewatch.rehearsal.spoilt import Counts, Spoilt, score
from scenewatch.rehearsal.twin import Layout
from scenewatch.scenes import SCENES, demonstration

SCENE = next(s for s in SCENES if s.key == "kitchen")
GATEWAY, FRIDGE = demonstration(SCENE).devices(1)[:2]
CHANNELS = tuple(c.key for c in SCENE.device_type("fridge").measured)
AIR = CHANNELS.index("air_temp")
LAYOUT = Layout(
    (GATEWAY.id, FRIDGE.id),
    ((), CHANNELS),
    tuple(f"fridge.{key}" for key in CHANNELS),
    tuple(range(10, 10 + len(CHANNELS))),
)
FROM_MS = 1_779_033_600_000
STEP_MS = seconds(30)
STEPS = 120
TWO_HOURS = hours(2)


def by_effect(kind):
    return next(f for f in SCENE.faults if isinstance(f.effect, kind) and "fridge" in f.on)


def channel(kind):
    type_key, _, key = kind.partition(".")
    return next(c for c in SCENE.device_type(type_key).channels if c.key == key)


def spoilt_by(fault, *, size=None, since_ms=FROM_MS, lasting=TWO_HOURS):
    at_ms = FROM_MS + minutes(10)
    drawn = planned([GATEWAY, FRIDGE], [(fault, FRIDGE, at_ms, at_ms + lasting, size)])
    return Spoilt(LAYOUT, drawn, channel, since_ms)


def blocks(count=4):
    """When each device sends, and clean values."""
    for n in range(count):
        steps_ms = FROM_MS + (n * STEPS + 1 + np.arange(STEPS)) * STEP_MS
        yield np.stack([steps_ms, steps_ms], axis=1), np.zeros((STEPS, len(CHANNELS)))


def checked(t_ms, test, *, series=10 + AIR, flag=Flag.SUSPECT):
    batch = Batch.of(np.full(len(t_ms), series, np.int32), np.array(t_ms, np.int64), np.zeros(len(t_ms)))
    batch.flag[:], batch.test[:] = flag, test
    return batch


def stuck_ms():
    """Readings of a frozen sensor that has stood still long enough."""
    begin_ms = FROM_MS + minutes(10)
    first_ms = begin_ms + channel("fridge.air_temp").stuck_after
    return [t for t in range(FROM_MS + STEP_MS, FROM_MS + hours(4) + 1, STEP_MS)
            if first_ms <= t < begin_ms + hours(2)]  # fmt: skip


def test_a_frozen_sensor_is_stuck_from_when_the_table_says():
    spoilt = spoilt_by(by_effect(Frozen))
    for times, clean in blocks():
        spoilt.take((times, times), clean, clean)
    spoilt.flagged(checked(stuck_ms()[5:], By.STUCK))
    spoilt.flagged(checked([FROM_MS + STEP_MS], By.STUCK))
    n = len(stuck_ms())
    assert spoilt.found()[By.STUCK] == Counts(spoilt=n, flagged=n - 5 + 1, right=n - 5)


def test_a_spike_is_two_steps_and_another_test_may_find_it():
    fault = by_effect(Spikes)
    spoilt = spoilt_by(fault, size=fault.sizes.largest, lasting=fault.minimum)
    struck = []
    for times, clean in blocks():
        values = clean.copy()
        values[[30, STEPS - 1], AIR] += fault.sizes.largest  # the second returns in the next block
        struck += [(times[30, 1], times[31, 1]), (times[STEPS - 1, 1], times[STEPS - 1, 1] + STEP_MS)]
        spoilt.take((times, times), values, clean)
    there, back = zip(*struck, strict=True)
    spoilt.flagged(checked(there, By.EXPECTED))
    spoilt.flagged(checked(back[:-1], By.FASTEST))
    steps = len(there) + len(back) - 1  # the last one's return is not seen any more
    assert spoilt.found()[By.FASTEST] == Counts(spoilt=steps, flagged=steps, right=steps)


def test_all_readings_of_a_wrong_clock_are_spoilt():
    spoilt = spoilt_by(by_effect(WrongClock), size=60.0)
    for times, clean in blocks():
        spoilt.take((times, times), clean, clean)
    readings = hours(2) // STEP_MS * len(CHANNELS)
    assert spoilt.found()[By.CLOCK] == Counts(spoilt=readings, flagged=0, right=0)


@pytest.mark.parametrize("kind", [Spikes, WrongClock])
def test_what_is_too_small_counts_neither_way(kind):
    fault = by_effect(kind)
    spoilt = spoilt_by(fault, size=fault.sizes.smallest)
    test = {Spikes: By.FASTEST, WrongClock: By.CLOCK}[kind]
    for times, clean in blocks():
        values = clean.copy()
        values[40, AIR] += fault.sizes.smallest
        spoilt.take((times, times), values, clean)
        spoilt.flagged(checked([times[40, 1]], test))
    outside = [FROM_MS + STEP_MS]
    spoilt.flagged(checked(outside, test))
    assert spoilt.found()[test].spoilt == spoilt.found()[test].right == 0
    # Flags beyond the fault's two hours are wrong whatever its size.
    assert 1 <= spoilt.found()[test].flagged <= 3


def test_what_came_while_learning_is_left_out():
    spoilt = spoilt_by(by_effect(Frozen), since_ms=FROM_MS + hours(3))
    for times, clean in blocks():
        spoilt.take((times, times), clean, clean)
    spoilt.flagged(checked(stuck_ms(), By.STUCK))
    assert spoilt.found()[By.STUCK] == Counts(0, 0, 0)


def test_good_readings_are_no_flags_and_parts_add_up():
    spoilt = spoilt_by(by_effect(Frozen))
    for times, clean in blocks():
        spoilt.take((times, times), clean, clean)
    spoilt.flagged(checked(stuck_ms(), By.NONE, flag=Flag.GOOD))
    alone = {s.test: s for s in score([spoilt.found()])}
    assert (alone["stuck"].recall, alone["stuck"].precision) == (0.0, None)
    spoilt.flagged(checked(stuck_ms()[::2], By.STUCK))
    twice = {s.test: s for s in score([spoilt.found(), spoilt.found()])}
    assert twice["stuck"].spoilt == 2 * len(stuck_ms())
    assert (twice["stuck"].recall, twice["stuck"].precision) == (pytest.approx(0.5, abs=0.01), 1.0)
    assert twice["clock"].recall is None
