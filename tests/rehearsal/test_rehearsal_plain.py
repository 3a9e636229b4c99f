"""The same limits applied plainly: what they are, how they are tried, and what is held against them."""

from dataclasses import replace

import pytest
from dead_label import DEAD

from scenewatch.model.quantity import Quantity
from scenewatch.model.rule import NO_DELAY, Above, AtLeast, Below
from scenewatch.model.words import hours, minutes
from scenewatch.rehearsal.labels import RaisedAlarm
from scenewatch.rehearsal.plain import DELAYS_MIN, apart, compare, cooled, limits, plain_scene
from scenewatch.rehearsal.score import Run, judge
from scenewatch.scenes import SCENES
from scenewatch.scenes.check import mistakes

SCENE = next(s for s in SCENES if s.key == "kitchen")
RUN = Run(0, hours(1000), devices=10)
SPIKES = replace(DEAD, kind="spikes", from_ms=hours(200), to_ms=hours(210), rules=frozenset({"jumps"}))


def raised(at_h, rule="warm"):
    return RaisedAlarm(rule=rule, device="a", priority="", raised_at_ms=hours(at_h), cleared_at_ms=None)


def compared(ours, by_delay, labels=(DEAD, SPIKES)):
    plainly = {delay: by_delay.get(delay, []) for delay in DELAYS_MIN}
    judgement = judge(labels, ours, RUN)
    return compare(labels, judgement, plainly, RUN, limits=frozenset({"warm"}), cooling_devices=5)


def test_plain_rules_are_bare_limits_of_measured_temperatures_with_every_delay():
    scene = plain_scene(SCENE, SCENE.rules)
    assert scene.rules
    assert not [m for m in mistakes(scene) if m.place.startswith("rule")]
    for rule in scene.rules:
        assert isinstance(rule.when, Above | Below)
        assert rule.when.deadband == 0.0
        assert not rule.suppressed_by
        assert rule.off_delay == NO_DELAY
        for on in rule.on:
            type_key, _, key = on.partition(".")
            channel = next(c for c in SCENE.device_type(type_key).channels if c.key == key)
            assert (channel.quantity, channel.derived) == (Quantity.TEMPERATURE, None)
    delays = {r.on_delay for r in scene.rules}
    assert delays == {minutes(n) for n in DELAYS_MIN}
    combined = {r.key for r in SCENE.rules if isinstance(r.when, AtLeast)}
    assert not combined & limits(SCENE)
    assert len(scene.rules) == len(limits(SCENE)) * len(DELAYS_MIN)


def test_numbers_in_force_are_those_tried():
    warmer = [replace(r, when=Above(11.5)) if r.key == "fridge_warm" else r for r in SCENE.rules]
    found = {r.when.limit for r in plain_scene(SCENE, warmer).rules if r.key.startswith("fridge_warm")}
    assert found == {11.5}


def test_cooling_devices_are_those_with_an_upper_limit():
    assert cooled(SCENE) == {"fridge", "freezer", "cold_dish_room"}


def test_alarms_are_told_apart_by_their_delay():
    found = apart([raised(1, "warm@0"), raised(2, "warm@30"), raised(3, "cold@0")])
    assert [a.rule for a in found[0]] == ["warm", "cold"]
    assert [a.raised_at_ms for a in found[30]] == [hours(2)]
    assert found[60] == []


def test_the_longest_delay_that_finds_as_much_is_chosen():
    found = compared([raised(101)], {0: [raised(101), raised(500)], 5: [raised(101.1)], 10: [raised(101.2)]})
    assert (found.delay_min, found.recall, found.our_recall, found.false) == (10, 1.0, 1.0, 0)
    assert (found.thermal_faults, found.times_our_false) == (1, None)


def test_if_none_finds_as_much_the_nearest_is():
    found = compared([raised(101), raised(600)], {0: [raised(300)], 5: [raised(400), raised(500)]})
    assert (found.recall, found.our_recall, found.our_false) == (0.0, 1.0, 1)
    assert found.delay_min == 60  # all find nothing: the calmest of them


def test_what_any_fault_makes_a_limit_raise_is_not_held_against_it():
    found = compared([raised(101)], {0: [raised(101), raised(201), raised(202), raised(203), raised(700)]})
    assert found.false == 2  # 700 h; and the third while the sensor spikes, once too often
    assert found.raised_without_delay == 1
    assert found.raised_a_cooling_device_day == pytest.approx(1 / (5 * 1000 / 24))


def test_our_false_alarms_are_those_of_rules_for_the_same_faults():
    found = compared([raised(101), raised(600, "idle"), raised(700, "other")], {0: [raised(101)]})
    assert found.our_false == 1


def test_without_thermal_faults_there_is_no_recall():
    found = compared([], {}, labels=())
    assert (found.thermal_faults, found.recall, found.our_recall) == (0, None, None)
