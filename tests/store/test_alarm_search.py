"""Alarms are found by place, priority, rule and words, and pages of any size make the whole list."""

from dataclasses import replace

import pytest

from alarm_moves import RAISED, then
from scenewatch.model.alarm import STANDING, AlarmState, Step
from scenewatch.model.rule import Priority
from scenewatch.store.alarmfilter import Mark, WhichAlarms, Words
from scenewatch.store.alarms import Alarms

FIRST = replace(RAISED, rule="kitchen.fridge_warm", device="kitchen.s1.fridge-1")
PAST = replace(FIRST, raised_at_ms=3_000)
ROWS = (
    FIRST,
    replace(FIRST, device="kitchen.s1.fridge-2"),
    replace(FIRST, rule="kitchen.door_ajar", priority=Priority.LOW),
    replace(FIRST, device="kitchen.s10.fridge-1", raised_at_ms=2_000),
    PAST,
)


@pytest.fixture
def alarms(database):
    table = Alarms(database)
    table.record([*ROWS, then(PAST, Step.ACKNOWLEDGED, 3_500, by="li"), then(PAST, Step.CLEARED, 4_000)])
    return table


def found(alarms, **which):
    return [(r.raised_at_ms, r.rule.partition(".")[2], r.device) for r in alarms.search(WhichAlarms(**which), 100)]


@pytest.mark.parametrize(
    ("which", "count"),
    [
        ({}, 5),
        ({"states": STANDING}, 4),
        ({"states": (AlarmState.NORMAL,)}, 1),
        ({"states": tuple(s for s in AlarmState if s not in STANDING)}, 1),
        ({"states": ()}, 0),
        ({"priority": Priority.LOW}, 1),
        ({"site": "kitchen.s1"}, 4),
        ({"site": "kitchen.s10"}, 1),
        ({"site": "kitchen"}, 5),
        ({"site": "kitchen.s"}, 0),
        ({"device": "kitchen.s1.fridge-1"}, 3),
        ({"rule": "kitchen.door_ajar"}, 1),
        ({"words": Words(text="FRIDGE-2")}, 1),
        ({"words": Words(text="100%_")}, 0),
        ({"words": Words(text="ajar", devices=["kitchen.s10.fridge-1"])}, 1),
        ({"words": Words(text="Tür", rules=["kitchen.fridge_warm"])}, 4),
        ({"words": Words(text="fridge"), "site": "kitchen.s10", "states": STANDING}, 1),
    ],
)
def test_all_that_is_given_must_fit(alarms, which, count):
    assert len(found(alarms, **which)) == count


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_pages_of_any_size_are_the_whole_list(alarms, size):
    pages, before = [], None
    while page := alarms.search(WhichAlarms(before=before), size):
        pages += page
        before = Mark(page[-1].raised_at_ms, page[-1].rule, page[-1].device)
    assert pages == alarms.alarms(limit=100)
    assert len(pages) == len(ROWS)


def test_how_often_is_counted_by_rule_from_a_time_on(alarms):
    assert alarms.raised_since(0) == {"kitchen.fridge_warm": 4, "kitchen.door_ajar": 1}
    assert alarms.raised_since(2_000) == {"kitchen.fridge_warm": 2}
    assert alarms.raised_since(9_000) == {}
