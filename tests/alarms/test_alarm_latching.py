"""Alarms that wait for an operator, and that get more or less urgent. Times are seconds from a start."""

import math

import pytest
from stepping import DOOR, at, box, each_30_s, message, moves, short, story, tick, told
from tiny_scene import DOOR_OPEN, HIGH, MEDIUM, START_MS, Term, batch_of, event, grade, registry, rule, scene

from scenewatch.alarms.engine import Engine
from scenewatch.model.alarm import Step
from scenewatch.model.errors import ConfigurationError
from scenewatch.model.flags import Flag
from scenewatch.model.rule import Above, Happened, NoData, any_of
from scenewatch.model.words import seconds

LATCHING = rule("warm", Above(8.0, deadband=1.0), off_delay_s=30, latching=True)
URGENT = rule("warm", Above(8.0), priority_steps=(grade(MEDIUM, 60), grade(HIGH, 30, Above(20.0, deadband=5.0))))


def reset(engine, t_s, rule_key="tiny.warm", device=0):
    return short(engine.reset(rule_key, device, START_MS + 1000 * t_s, by="ann"))


def urgency(transitions):
    """Such as `("reprioritised", "high", 60)`."""
    return [(step, t.priority, at_s) for t, (step, _, at_s) in zip(transitions, short(transitions), strict=True)]


def urgent(engine, *values, since_s=0):
    return urgency(engine.step(batch_of(each_30_s(*values, since_s=since_s))))


def test_a_latching_alarm_returns_and_stands_until_it_is_reset():
    engine = box(LATCHING)
    assert moves(engine, each_30_s(9.0, 6.0, 6.0, 5.0)) == [("raised", "warm", 0), ("returned", "warm", 60)]
    assert engine.has_returned("tiny.warm", 0)
    assert len(engine.standing()) == 1
    (cleared,) = engine.reset("tiny.warm", 0, START_MS + 100_000, by="ann")
    assert (cleared.step, cleared.by, cleared.at_ms, cleared.raised_at_ms, cleared.flag) == (
        Step.CLEARED,
        "ann",
        START_MS + 100_000,
        START_MS,
        Flag.MISSING,
    )
    assert math.isnan(cleared.value)
    assert not engine.standing()
    assert moves(engine, [at(120, 9.0)]) == [("raised", "warm", 120)]


def test_a_condition_that_comes_back_is_the_same_alarm_and_refuses_to_be_reset():
    engine = box(LATCHING)
    moves(engine, each_30_s(9.0, 6.0, 6.0))
    assert moves(engine, [at(90, 7.5), at(120, 8.5)]) == []
    assert reset(engine, 121) == []
    assert moves(engine, [at(150, 7.5), at(180, 6.0)]) == []
    assert reset(engine, 181) == []
    assert moves(engine, [at(210, 6.0)]) == [("returned", "warm", 210)]
    assert reset(engine, 211) == [("cleared", "warm", 211)]


@pytest.mark.parametrize(("key", "device"), [("tiny.warm", 0), ("tiny.warm", 1), ("tiny.other", 0)])
def test_what_does_not_wait_for_it_is_not_reset(key, device):
    of = scene(LATCHING)
    engine = Engine([of])
    engine.grow(registry("box", "gateway", of=of))
    assert reset(engine, 10, key, device) == []
    moves(engine, [at(20, 9.0)])
    assert reset(engine, 30, key, device) == []


def test_missing_data_that_latches_stays_when_data_flow_again_and_falls_silent_as_the_same_alarm():
    engine = box(rule("silent", NoData(seconds(120)), latching=True))
    assert tick(engine, 120) == [("raised", "silent", 120)]
    assert moves(engine, [at(200, 5.0)]) == [("returned", "silent", 200)]
    assert tick(engine, 320) == []
    assert reset(engine, 321, "tiny.silent") == []
    assert moves(engine, [at(330, 5.0)]) == [("returned", "silent", 330)]
    assert reset(engine, 449, "tiny.silent") == [("cleared", "silent", 449)]
    assert tick(engine, 450) == [("raised", "silent", 450)]


def test_a_reset_at_the_deadline_of_missing_data_comes_too_late():
    engine = box(rule("silent", NoData(seconds(120)), latching=True))
    tick(engine, 120)
    moves(engine, [at(200, 5.0)])
    assert reset(engine, 320, "tiny.silent") == []


def test_an_event_that_latches_comes_back_as_the_same_alarm():
    engine = box(rule("knock", Happened(event="knock", quiet=seconds(100)), on=("box",), latching=True))
    assert told(engine, "knock", 0) == [("raised", "knock", 0)]
    assert tick(engine, 150) == [("returned", "knock", 100)]
    assert told(engine, "knock", 160) == []
    assert reset(engine, 161, "tiny.knock") == []
    assert tick(engine, 260) == [("returned", "knock", 260)]
    assert reset(engine, 261, "tiny.knock") == [("cleared", "knock", 261)]


def test_a_latch_outlives_a_restart():
    engine, reborn = box(LATCHING), box(LATCHING)
    moves(engine, each_30_s(9.0, 6.0, 6.0))
    reborn.restore(b"".join(engine.snapshot()))
    assert moves(reborn, [at(90, 6.0)]) == []
    assert reset(reborn, 100) == [("cleared", "warm", 100)]


def test_an_alarm_gets_more_urgent_and_less_by_its_own_deadband():
    assert urgent(box(URGENT), 9.0, 21.0, 16.0, 16.0, 15.0, 9.0, 5.0) == [
        ("raised", None, 0),
        ("reprioritised", HIGH, 60),
        ("reprioritised", MEDIUM, 120),
        ("cleared", MEDIUM, 180),
    ]


def test_it_is_raised_as_urgent_as_it_is_by_then():
    slow = rule("warm", Above(8.0), on_delay_s=60, priority_steps=URGENT.priority_steps)
    assert urgent(box(slow), 21.0, 21.0, 21.0) == [("raised", HIGH, 60)]


def test_a_gap_counts_towards_no_urgency():
    engine = box(rule("warm", Above(8.0), priority_steps=URGENT.priority_steps[1:]))
    assert urgent(engine, 21.0) == [("raised", None, 0)]
    assert urgent(engine, 21.0, 21.0, since_s=200) == [("reprioritised", HIGH, 230)]


def test_standing_shows_how_urgent_an_alarm_is_now():
    engine = box(URGENT)
    urgent(engine, 9.0, 9.0, 9.0)
    (standing,) = engine.standing()
    assert (standing.step, standing.priority) == (Step.RAISED, MEDIUM)


def test_a_combination_is_more_urgent_by_the_channel_it_shows():
    many = rule("any", any_of(DOOR_OPEN, Term("air", Above(30.0))), priority_steps=(grade(HIGH, 30, Above(20.0)),))
    engine = box(many)
    told_of = [message(0, air=21.0, door=1.0), message(30, air=21.0, door=1.0), [at(60, 15.0)]]
    assert story(engine, *told_of) == [
        ("raised", "any", 0),
        ("reprioritised", "any", 30),
        ("reprioritised", "any", 60),
    ]


def test_missing_data_gets_more_urgent_at_a_deadline():
    engine = box(rule("silent", NoData(seconds(120)), on=("box.door",), priority_steps=(grade(HIGH, 300),)))
    assert moves(engine, [at(0, 0.0, series=DOOR, received_s=10)]) == []
    assert urgency(engine.tick(START_MS + 429_000)) == [("raised", None, 120)]
    assert urgency(engine.tick(START_MS + 430_000)) == [("reprioritised", HIGH, 420)]
    assert urgency(engine.step(batch_of([at(500, 0.0, series=DOOR)]))) == [("cleared", HIGH, 500)]


def test_an_event_that_goes_on_gets_more_urgent_at_a_deadline():
    knock = rule(
        "knock", Happened(event="knock", quiet=seconds(100)), on=("box",), priority_steps=(grade(HIGH, 90),)
    )
    engine = box(knock)
    assert told(engine, "knock", 0) == [("raised", "knock", 0)]
    found = engine.happened([event(0, "knock", START_MS + 99_000)])
    assert urgency(found) == [("reprioritised", HIGH, 90)]
    assert urgency(engine.tick(START_MS + 900_000)) == [("cleared", HIGH, 199)]


def test_what_has_no_readings_cannot_be_graded_by_them():
    silent = rule("silent", NoData(seconds(120)), priority_steps=(grade(HIGH, 0, Above(8.0)),))
    with pytest.raises(ConfigurationError, match="tiny: rule silent: priority_steps: can go by time alone"):
        Engine([scene(silent)])


def test_every_step_tells_the_version_of_the_rule_that_made_it():
    engine = box(URGENT)
    (before,) = engine.step(batch_of([at(0, 9.0)]))
    engine.change({"tiny.warm": {"limit": 8.5}})
    (after,) = engine.step(batch_of([at(30, 5.0)]))
    assert len({before.version, after.version, ""}) == 3
    engine.change({})
    (again,) = engine.step(batch_of([at(60, 9.0)]))
    assert again.version == before.version
