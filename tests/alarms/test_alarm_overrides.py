"""Operators' numbers: what is refused, in which words, and what they change."""

from dataclasses import replace

import pytest
from tiny_scene import rule, scene

from scenewatch.alarms.overrides import mistakes, overridden
from scenewatch.model.flags import Test as QualityTest
from scenewatch.model.rule import (
    Above,
    Below,
    Flagged,
    Happened,
    NoData,
    Outside,
    Priority,
    PriorityStep,
    Term,
    Then,
    While,
    all_of,
)
from scenewatch.model.words import minutes, seconds

WARM = rule("warm", Above(8.0, deadband=1.0), on=("box.air", "pump.heat"), on_delay_s=60)
COLD = rule("cold", Below(0.0, deadband=0.5))
SILENT = rule("silent", NoData(minutes(10)), on=("box.air", "pump.heat"))
ODD = rule("odd", Outside(-5.0, 9.0, deadband=1.0))
STUCK = rule("stuck", Flagged(QualityTest.STUCK))
KNOCK = rule("knock", Happened(event="knock", quiet=seconds(60)), on=("box",))
NEAR = rule("near", all_of(Term("air", Above(8.0)), Term("air", Below(9.0))))
BOTH = rule("both", all_of(Term("air", Above(8.0)), Term("air", Outside(0.0, 9.0)), Term("door", Above(0.5))))
AFTER = rule("after", Then(first=Term("door", Above(0.5)), second=Term("power", Below(9.0)), within=minutes(5)))
STEPS = (
    PriorityStep(to=Priority.MEDIUM, beyond=Above(12.0, deadband=0.5), lasting=minutes(5)),
    PriorityStep(to=Priority.HIGH, beyond=Above(20.0)),
    PriorityStep(to=Priority.HIGH, lasting=minutes(60)),
)
URGENT = replace(rule("urgent", Above(8.0)), priority_steps=STEPS, again_after=minutes(60))
BESIDE = rule("beside", Above(8.0), but=(While(term=Term("air", Above(20.0))),))
SCENE = scene(WARM, COLD, SILENT, ODD, STUCK, KNOCK, BOTH, AFTER, URGENT, BESIDE, NEAR)


def said(overrides):
    return [str(m) for m in mistakes([SCENE], overrides)]


@pytest.mark.parametrize(
    ("key", "numbers", "mistake"),
    [
        ("tiny.wram", {"limit": 4}, 'limits."tiny.wram": there is no such rule; the rules are: tiny.after, tiny.'),
        ("warm", {"limit": 4}, 'limits."warm": there is no such rule'),
        ("tiny.warm", {"limti": 4}, 'limits."tiny.warm".limti: this rule has no such number; it has: limit, deadb'),
        ("tiny.warm", {"after_s": 4}, "after_s: this rule has no such number; it has: limit, deadband, on_delay_s"),
        ("tiny.silent", {"limit": 4}, "limit: this rule has no such number; it has: after_s, off_delay_s"),
        ("tiny.warm", {"limit": "8"}, "limit: must be a number, not '8'"),
        ("tiny.warm", {"limit": True}, "limit: must be a number, not True"),
        ("tiny.warm", {"limit": float("nan")}, "limit: must be a number, not nan"),
        ("tiny.warm", {"on_delay_s": float("inf")}, "on_delay_s: must be a number, not inf"),
        ("tiny.warm", {"on_delay_s": -1}, "on_delay_s: must not be negative, as -1 is"),
        ("tiny.warm", {"off_delay_s": -0.5}, "off_delay_s: must not be negative, as -0.5 is"),
        ("tiny.warm", {"deadband": -0.5}, "deadband: must not be negative, as -0.5 is"),
        ("tiny.warm", {"limit": 61}, "limit: 61 is outside what box.air can measure: -40 to 60 °C"),
        ("tiny.warm", {"limit": -20}, "limit: -20 is outside what pump.heat can measure: -10 to 90 °C"),
        ("tiny.cold", {"limit": -40.5}, "limit: -40.5 is outside what box.air can measure: -40 to 60 °C"),
        ("tiny.warm", {"deadband": 19}, "deadband: the alarm would return at -11, outside what pump.heat can mea"),
        (
            "tiny.warm",
            {"limit": -9.5},
            "limit: the alarm would return at -10.5, outside what pump.heat can measure",
        ),
        ("tiny.cold", {"deadband": 60.5}, "deadband: the alarm would return at 60.5, outside what box.air can"),
        ("tiny.silent", {"after_s": 30}, "after_s: must be more than the 30 s between two readings of box.air"),
        ("tiny.cold", {"limit": -40}, "limit: the alarm would never come: nothing is beyond it in what box.air"),
        (
            "tiny.odd",
            {"low": -40, "high": 60},
            "low: the alarm would never come: nothing is beyond it in what box.air",
        ),
        ("tiny.odd", {"limit": 3}, "limit: this rule has no such number; it has: low, high, deadband, on_delay_s,"),
        ("tiny.odd", {"low": 9}, "low: 9 must be below high, which is 9"),
        ("tiny.odd", {"high": 61}, "high: 61 is outside what box.air can measure: -40 to 60 °C"),
        ("tiny.odd", {"low": -41}, "low: -41 is outside what box.air can measure"),
        (
            "tiny.odd",
            {"deadband": 7.5},
            "deadband: the alarm would never return: no value is inside both limits by",
        ),
        ("tiny.odd", {"high": -4}, "low: the alarm would never return: no value is inside both limits by 1"),
        ("tiny.stuck", {"deadband": 1}, "deadband: this rule has no such number; it has: on_delay_s, off_delay_s"),
        ("tiny.knock", {"on_delay_s": 1}, "on_delay_s: this rule has no such number; it has: quiet_s, off_delay_s"),
        ("tiny.knock", {"quiet_s": -1}, "quiet_s: must not be negative, as -1 is"),
        (
            "tiny.both",
            {"limit": 1},
            "it has: air_limit, air_2_low, air_2_high, door_limit, on_delay_s, off_delay_s",
        ),
        ("tiny.both", {"door_limit": 2}, "door_limit: 2 is outside what box.door can measure: 0 to 1 °C"),
        ("tiny.both", {"air_2_low": 9}, "air_2_low: 9 must be below high, which is 9"),
        ("tiny.after", {"limit": 1}, "it has: within_s, door_limit, power_limit, on_delay_s, off_delay_s"),
        ("tiny.after", {"within_s": -1}, "within_s: must not be negative, as -1 is"),
        ("tiny.after", {"power_limit": -1}, "power_limit: -1 is outside what box.power can measure: 0 to 900 °C"),
        ("tiny.warm", {"again_after_s": 9}, "again_after_s: this rule has no such number"),
        ("tiny.warm", {"step_1_limit": 9}, "step_1_limit: this rule has no such number"),
        ("tiny.urgent", {"again_after_s": 0}, "again_after_s: must be more than nothing"),
        (
            "tiny.urgent",
            {"step_4_limit": 9},
            "it has: limit, deadband, on_delay_s, off_delay_s, step_1_limit, step_1_deadband, step_1_lasting_s",
        ),
        ("tiny.urgent", {"step_1_limit": 7}, "step_1_limit: must be further out than the rule's own limit"),
        ("tiny.urgent", {"limit": 15}, "step_1_limit: must be further out than the rule's own limit"),
        ("tiny.urgent", {"step_2_limit": 61}, "step_2_limit: 61 is outside what box.air can measure"),
        ("tiny.urgent", {"step_2_limit": 11}, "step_2_limit: is never seen: a later step holds whenever it does"),
        (
            "tiny.urgent",
            {"step_1_deadband": 99},
            "step_1_deadband: the alarm would return at -87, outside what box",
        ),
        ("tiny.urgent", {"step_3_lasting_s": 0}, "step_3_lasting_s: must be more than nothing"),
        ("tiny.urgent", {"step_1_lasting_s": -1}, "step_1_lasting_s: must not be negative, as -1 is"),
        ("tiny.after", {"within_s": 0}, "within_s: must be more than nothing"),
        (
            "tiny.near",
            {"air_limit": 9.5},
            "air_limit: cannot hold together on air, of 2 on box: the alarm would",
        ),
        (
            "tiny.beside",
            {"limit": 21},
            "limit: holds on box whenever the condition does: the alarm",
        ),
    ],
)
def test_a_mistake_names_its_place_and_its_mend(key, numbers, mistake):
    assert mistake in said({key: numbers})[0]


def test_all_mistakes_are_told_at_once():
    overrides = {"tiny.warm": {"limit": "8", "deadband": -1}, "tiny.x": {}, "tiny.silent": {"after_s": 1}}
    assert [text.split(": ")[0] for text in said(overrides)] == [
        'limits."tiny.warm".limit',
        'limits."tiny.warm".deadband',
        'limits."tiny.x"',
        'limits."tiny.silent".after_s',
        'limits."tiny.silent".after_s',
    ]


def test_good_numbers_have_no_mistakes():
    overrides = {
        "tiny.warm": {"limit": 5, "deadband": 0, "on_delay_s": 0.5, "off_delay_s": 0},
        "tiny.silent": {"after_s": 300},
        "tiny.cold": {},
        "tiny.odd": {"low": -39, "high": 0, "deadband": 2},
        "tiny.stuck": {"on_delay_s": 5},
        "tiny.knock": {"quiet_s": 0, "off_delay_s": 3},
        "tiny.both": {"air_limit": -3, "air_2_high": 20, "door_limit": 0.2},
        "tiny.after": {"within_s": 5},
    }
    assert said(overrides) == said({}) == []


def test_only_the_numbers_given_change():
    changed = overridden(WARM, {"limit": 5, "off_delay_s": 1.5})
    assert changed.when == Above(5.0, deadband=1.0)
    assert (changed.on_delay, changed.off_delay) == (seconds(60), 1500)
    assert overridden(COLD, {"deadband": 2}).when == Below(0.0, deadband=2.0)
    assert overridden(SILENT, {"after_s": 90}).when == NoData(seconds(90))
    assert overridden(ODD, {"low": -6}).when == Outside(-6.0, 9.0, deadband=1.0)
    assert overridden(KNOCK, {"quiet_s": 9}).when == Happened(event="knock", quiet=seconds(9))
    assert overridden(BOTH, {"air_2_high": 7, "door_limit": 0.4}).when == all_of(
        Term("air", Above(8.0)), Term("air", Outside(0.0, 7.0)), Term("door", Above(0.4))
    )
    assert overridden(AFTER, {"within_s": 9, "power_limit": 5}).when == Then(
        first=Term("door", Above(0.5)), second=Term("power", Below(5.0)), within=seconds(9)
    )
    assert tuple(overridden(r, {}) for r in SCENE.rules) == SCENE.rules


def test_numbers_of_a_standing_alarm_change_alone():
    changed = overridden(
        URGENT, {"step_1_limit": 13, "step_1_lasting_s": 9, "step_3_lasting_s": 60, "again_after_s": 5}
    )
    assert changed.priority_steps == (
        PriorityStep(to=Priority.MEDIUM, beyond=Above(13.0, deadband=0.5), lasting=seconds(9)),
        STEPS[1],
        PriorityStep(to=Priority.HIGH, lasting=minutes(1)),
    )
    assert changed.again_after == seconds(5)
    assert replace(changed, priority_steps=STEPS, again_after=minutes(60)) == URGENT
